// What the field's own tools find in CloudFormation templates. A finding is the rule, the
// deployment and the stack whose template it is, the logical id of the resource, and what
// the tool says.
//
// cfn-lint is a program in Python, and looks where it is installed. cloudformation-validate
// always does, and stands in for it where it is not: AWS wrote it for CDK, with cfn-lint's rules
// by their own names and the schemas of all resources. A rule of the schemas has an F in its
// name where cfn-lint's has an E. CDK runs it at each synthesis, which no warning fails, and
// leaves out the rules that CDK itself breaks. Those of cfn-lint's rules that it does not hold
// are in rules_test.go, as far as they concern these templates.
//
// https://github.com/aws-cloudformation/cfn-lint
// https://github.com/aws-cloudformation/cloudformation-validate
// https://github.com/cdklabs/cdk-nag#using-on-cloudformation-templates

import { spawnSync } from 'node:child_process';
import { basename, dirname } from 'node:path';
import cloudformation from '@aws/cloudformation-validate';
import { App, Stack } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { AwsSolutionsChecks } from 'cdk-nag';

const engine = new cloudformation.RegoEngine({});

export function findingsIn(path) {
  return [...lint(path), ...nag(path)].map(finding => ({ ...placeOf(path), ...finding }));
}

function placeOf(path) {
  return { deployment: basename(dirname(path)), stack: basename(path, '.template.json') };
}

// cfnLint starts once for all templates, which is what takes it the most time. That it cannot be
// run is a finding, but not that it is not there.
export function cfnLint(paths, program = 'cfn-lint') {
  const { error, stdout, stderr } = spawnSync(program, ['--format', 'json', '--', ...paths], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error?.code === 'ENOENT') {
    return [];
  }
  try {
    return JSON.parse(stdout).map(({ Filename, Location, Message, Rule }) =>
      ({ ...placeOf(Filename), rule: Rule.Id, resource: resourceAt(Location.Path), message: Message }));
  } catch {
    return [{ ...placeOf(paths[0]), rule: 'cfn-lint', message: `no report: ${error?.message ?? stderr.trim()}` }];
  }
}

function resourceAt(path) {
  return path?.[0] === 'Resources' ? path[1] : undefined;
}

// lint leaves out what is for information alone, as that a property cannot be changed.
function lint(path) {
  const report = engine.validateDetailed(new cloudformation.TemplateFile(path), { severityLevel: 'WARN' });
  const findings = report.diagnostics.map(({ ruleId, entity, message }) => ({ rule: ruleId, resource: entity?.logicalId, message }));
  if (report.status !== 'OK') {
    findings.push({ rule: 'cloudformation-validate', message: `status ${report.status}` });
  }
  return findings;
}

// nag makes constructs of the template, since cdk-nag looks at nothing else. A template of
// which that cannot be done is a finding too.
function nag(path) {
  const app = new App();
  try {
    new CfnInclude(new Stack(app, 'Stack'), 'Template', { templateFile: path });
  } catch (error) {
    return [{ rule: 'CfnInclude', message: error.message }];
  }
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.flatMap(({ ruleName, description, violatingResources }) =>
    violatingResources.map(({ constructPath }) => ({ rule: ruleName, resource: basename(constructPath), message: description })));
}
