// What the field's own tools find in CloudFormation templates. A finding is the rule, the
// deployment and the stack whose template it is, the logical id of the resource, and what
// the tool says.
//
// cloudformation-validate stands in for cfn-lint, which is a program in Python: AWS wrote it
// for CDK, with cfn-lint's rules by their own names and the schemas of all resources. A rule
// of the schemas has an F in its name where cfn-lint's has an E. CDK runs it at each
// synthesis, which no warning fails, and leaves out the rules that CDK itself breaks. Those
// of cfn-lint's rules that it does not hold are in rules_test.go, as far as they concern
// these templates.
//
// https://github.com/aws-cloudformation/cloudformation-validate
// https://github.com/cdklabs/cdk-nag#using-on-cloudformation-templates

import { basename, dirname } from 'node:path';
import cloudformation from '@aws/cloudformation-validate';
import { App, Stack } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { AwsSolutionsChecks } from 'cdk-nag';

const engine = new cloudformation.RegoEngine({});

export function findingsIn(path) {
  const deployment = basename(dirname(path));
  const stack = basename(path, '.template.json');
  return [...lint(path), ...nag(path)].map(finding => ({ deployment, stack, ...finding }));
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
