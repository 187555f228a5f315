import { Environment } from '@marcbachmann/cel-js';
import { messageOf } from '../../core/errors.ts';
import { allowedFunctions, isAllowedCall, registerFunctions } from './functions.ts';

/** What a name in an expression stands for; a record is one with members, each a number or a text, which a value may lack. */
export type NameType = 'double' | 'string' | 'map<string, string>' | Readonly<Record<string, 'double' | 'string'>>;

/** The names an expression may use. */
export type Names = Readonly<Record<string, NameType>>;

/** Why an expression cannot be used. */
export interface ExpressionProblem {
  /** A sentence with what is wrong. */
  readonly message: string;
  /** What is allowed. */
  readonly hint: string;
  /** Where in the text, in UTF-16 code units from 0. */
  readonly at: number;
}

/** Members of a value whose name has members: `Members.of(type)` of what the row of a table says. */
export class Members {
  constructor(members: Readonly<Record<string, number | string>>) {
    Object.assign(this, members);
  }
}

/** Limits of one expression: far above what a person writes, far below what takes time. */
const LIMITS = { maxAstNodes: 500, maxDepth: 50, maxListElements: 100, maxMapEntries: 0, maxCallArguments: 16 };

/** The part of the library's syntax tree that is looked at. */
interface SyntaxNode {
  readonly op: string;
  args: unknown;
  readonly start: number;
}

type Evaluate = (context: object) => unknown;

/** A member of a record or a tag, as `machines.rated`. */
interface Need {
  readonly name: string;
  readonly member: string;
}

/**
 * A formula of the configuration in the Common Expression Language (CEL, https://cel.dev), typed when it is made.
 *
 * Every number is a double, whole ones too: in CEL itself `9 / 5` is 1, and `value * 2` does not type. Functions that depend on the time
 * zone of the box or may take long (`matches`, timestamps, macros over lists) are left out.
 */
export class Expression {
  /** What it gives. */
  readonly type: 'double' | 'bool';
  readonly #evaluate: Evaluate;
  /** Without one of these there is no value. To see that beforehand costs a hundredth of what it costs the library to throw. */
  readonly #needs: readonly Need[];
  #problem = '';

  private constructor(evaluate: Evaluate, type: 'double' | 'bool', needs: readonly Need[]) {
    this.#evaluate = evaluate;
    this.type = type;
    this.#needs = needs;
  }

  /** Reads and types an expression; or says why it cannot be used. */
  static compile(text: string, names: Names): Expression | ExpressionProblem {
    try {
      const evaluate = environment(names).parse(text);
      const ast = evaluate.ast as unknown as SyntaxNode;
      const refused = prepare(ast);
      if (refused !== undefined) return refused;
      const checked = evaluate.check();
      if (!checked.valid) return problemOf(checked.error, names);
      if (checked.type === 'double' || checked.type === 'bool')
        return new Expression(evaluate, checked.type, needsOf(ast));
      return {
        message: `it gives ${typeName(String(checked.type))}`,
        hint: 'it must give a number, or true or false',
        at: 0,
      };
    } catch (error) {
      return problemOf(error, names);
    }
  }

  /**
   * The value for names that stand for the properties of `context`; undefined where there is none, and then `problem` says why. Never
   * throws, never gives NaN or an infinity. The context may be one object again and again.
   */
  evaluate(context: Readonly<Record<string, unknown>>): number | boolean | undefined {
    for (let i = 0; i < this.#needs.length; i++) {
      const { name, member } = this.#needs[i]!;
      if ((context[name] as Readonly<Record<string, unknown>>)[member] !== undefined) continue;
      this.#problem = `there is no ${name}.${member}`;
      return undefined;
    }
    let value: unknown;
    try {
      value = this.#evaluate(context);
    } catch (error) {
      this.#problem = summaryOf(error);
      return undefined;
    }
    if (typeof value === 'boolean') return value;
    // The sum turns −0 into 0.
    if (typeof value === 'number' && value - value === 0) return value + 0;
    this.#problem = `it gives ${String(value)}, which is no number`;
    return undefined;
  }

  /** Why the last evaluation gave no value, as a clause. */
  get problem(): string {
    return this.#problem;
  }
}

function environment(names: Names): Environment {
  const made = new Environment({ limits: LIMITS });
  registerFunctions(made);
  for (const [name, type] of Object.entries(names)) {
    if (typeof type !== 'string') made.registerType(rowType(name), { ctor: Members, fields: type });
    made.registerVariable(name, typeof type === 'string' ? type : rowType(name));
  }
  return made;
}

function rowType(name: string): string {
  return `row_of_${name}`;
}

/** Turns whole numbers into doubles, in place and before anything is typed; answers with the first call that is not allowed. */
function prepare(node: SyntaxNode): ExpressionProblem | undefined {
  if (node.op === 'value') {
    if (typeof node.args === 'bigint') node.args = Number(node.args);
    return undefined;
  }
  if (node.op === 'call' || node.op === 'rcall') {
    const name = String((node.args as readonly unknown[])[0]);
    if (!isAllowedCall(name, node.op === 'rcall')) {
      return { message: `unknown function ${name}`, hint: `functions: ${allowedFunctions}`, at: node.start };
    }
  }
  return firstProblem(Array.isArray(node.args) ? node.args : [node.args]);
}

/** What an expression cannot do without: nothing is said of one that may take another way, by a condition or by asking. */
function needsOf(ast: SyntaxNode): readonly Need[] {
  const needs: Need[] = [];
  const visit = (node: unknown): boolean => {
    if (Array.isArray(node)) return node.every(visit);
    if (!isNode(node)) return true;
    const { op, args } = node;
    if (op === '?:' || op === '&&' || op === '||' || (op === 'call' && (args as readonly unknown[])[0] === 'has'))
      return false;
    if (op === '.') {
      const [of, member] = args as readonly [SyntaxNode, string];
      if (of.op === 'id') needs.push({ name: String(of.args), member });
    }
    return visit(args);
  };
  return visit(ast) ? needs : [];
}

function firstProblem(children: readonly unknown[]): ExpressionProblem | undefined {
  for (const child of children) {
    const found = Array.isArray(child) ? firstProblem(child) : isNode(child) ? prepare(child) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'op' in value;
}

function problemOf(error: unknown, names: Names): ExpressionProblem {
  const { range } = error as { readonly range?: { readonly start: number } };
  return {
    message: lowered(summaryOf(error)),
    hint: `names: ${allowedNames(names)}; functions: ${allowedFunctions}`,
    at: range?.start ?? 0,
  };
}

/** What the library calls by names that stand in no formula. */
const TOKENS: Readonly<Record<string, string>> = {
  EOF: 'the end',
  LPAREN: '(',
  RPAREN: ')',
  LBRACKET: '[',
  RBRACKET: ']',
  LBRACE: '{',
  RBRACE: '}',
  COLON: ':',
  COMMA: ',',
};

/** What went wrong, without the excerpt that the library draws; types in the words of the documentation. */
function summaryOf(error: unknown): string {
  const { summary } = error as { readonly summary?: string };
  return (summary ?? messageOf(error))
    .replace(/^No such key: /, 'there is no ')
    .replace(/\bdouble\b/g, 'number')
    .replace(/\bbool\b/g, 'boolean')
    .replace(/\bstring\b/g, 'text')
    .replace(/\b(EOF|[LR](?:PAREN|BRACKET|BRACE)|COLON|COMMA)\b/g, (token) => TOKENS[token] ?? token);
}

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function typeName(type: string): string {
  return type === 'string' ? 'a text' : type;
}

/** The names, and the members they have, for a person. */
export function allowedNames(names: Names): string {
  return Object.entries(names)
    .flatMap(([name, type]) =>
      typeof type === 'string' ? [name] : Object.keys(type).map((member) => `${name}.${member}`),
    )
    .map((name) => (name === 'tags' ? 'tags.NAME' : name))
    .join(', ');
}
