import { configurationSchema } from './schema.ts';
import type { SchemaNode } from './schema-node.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A reference to the environment may stand where a number, a word or a text with a form is wanted. */
const REFERENCE = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}' };

/**
 * The schema for editors, as it is published in `gateway.schema.json` (JSON Schema draft 2020-12): without our own keywords, with
 * `required` only where there is no default, and with `${NAME}` allowed for every value.
 */
export function editorSchema(vocabulary: Vocabulary): object {
  const schema = configurationSchema(vocabulary) as SchemaNode;
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...forEditor(schema) };
}

function forEditor(schema: SchemaNode): object {
  const { headgate, schemes: __, properties, patternProperties, items, anyOf, required, ...rest } = schema;
  if (properties !== undefined) {
    const needed = (required ?? []).filter((key) => properties[key]?.default === undefined);
    return { ...rest, ...(needed.length > 0 ? { required: needed } : {}), properties: eachForEditor(properties) };
  }
  if (patternProperties !== undefined)
    return { ...rest, additionalProperties: forEditor(Object.values(patternProperties)[0]!) };
  if (items !== undefined && headgate === 'one-or-more') {
    const { type, minItems, ...words } = rest;
    return { ...words, anyOf: [forEditor(items), { type, minItems, items: forEditor(items) }] };
  }
  if (items !== undefined) return { ...rest, items: forEditor(items) };
  if (anyOf !== undefined) return { ...rest, anyOf: anyOf.map(forEditor) };
  return takesAnyText(schema) ? rest : orReference(rest);
}

function eachForEditor(properties: Readonly<Record<string, SchemaNode>>): object {
  return Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, forEditor(property)]));
}

/** Whether `${NAME}` fits as it is. A word that tells shapes apart (`type`) has to stand in the file. */
function takesAnyText({ type, pattern, const: word, enum: words }: SchemaNode): boolean {
  return word !== undefined || (type === 'string' && pattern === undefined && words === undefined);
}

function orReference(schema: SchemaNode & { readonly examples?: unknown }): object {
  const { description, default: value, examples, ...form } = schema;
  const words = { description, default: value, examples };
  const said = Object.fromEntries(Object.entries(words).filter(([, word]) => word !== undefined));
  return { ...said, anyOf: [form, REFERENCE] };
}
