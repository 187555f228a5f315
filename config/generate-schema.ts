// Writes gateway.schema.json, which editors complete and check configuration files with: node config/generate-schema.ts
import { writeFileSync } from 'node:fs';
import { vocabulary } from '../gateway/catalog/vocabulary.ts';
import { editorSchema } from './json-schema.ts';

const target = new URL('gateway.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(editorSchema(vocabulary), null, 2)}\n`);
