// Fails if the field's tools find anything in the templates that accepted.json does not
// accept: node verify.mjs <template.json>...

import { readFileSync } from 'node:fs';
import { cfnLint, findingsIn } from './findings.mjs';
import { faults } from './verdict.mjs';

const templates = process.argv.slice(2);
if (templates.length === 0) {
  throw new Error('name the templates to look at');
}
const accepted = JSON.parse(readFileSync(new URL('accepted.json', import.meta.url)));
const found = faults([...templates.flatMap(findingsIn), ...cfnLint(templates)], accepted);
found.forEach(fault => console.error(fault));
process.exitCode = found.length > 0 ? 1 : 0;
