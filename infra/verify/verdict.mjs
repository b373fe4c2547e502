// Which findings count. accepted.json lists those that do not, each with the reason: a row
// is for a rule, in one stack or in all, and for one resource or for all. It is for every
// deployment: what is right in one is right in the others. A row with optional is for what a
// tool finds that may not be there, or may be too new to find it.

// faults gives a line for each finding that no row accepts, and for each row that accepts
// nothing: a reason that has gone stays no longer than the finding.
export function faults(findings, accepted) {
  const open = findings.filter(finding => !accepted.some(row => accepts(row, finding)));
  const idle = accepted.filter(row => !row.optional && !findings.some(finding => accepts(row, finding)));
  return [
    ...open.map(({ rule, deployment, stack, resource, message }) =>
      `${deployment}/${stack}: ${resource ?? 'template'}: ${rule}: ${message}`),
    ...idle.map(({ rule, stack, resource }) => `accepted.json: nothing to accept: ${[rule, stack, resource].filter(Boolean).join(' ')}`),
  ];
}

function accepts(row, { rule, stack, resource }) {
  return row.rule === rule && (row.stack ?? stack) === stack && (row.resource ?? name(resource)) === name(resource);
}

// name is a logical id without the hash that CDK ends it with.
function name(id) {
  return id?.replace(/[0-9A-F]{8}$/, '');
}
