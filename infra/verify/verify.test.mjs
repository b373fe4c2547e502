// Sees to it that the tools run and that what they find counts: each broken template has
// the finding that it should have, and no other.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cfnLint, findingsIn } from './findings.mjs';
import { faults } from './verdict.mjs';

const sound = {
  Type: 'AWS::Lambda::Function',
  Properties: {
    Role: { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/reader' },
    Code: { S3Bucket: 'functions', S3Key: 'health.zip' },
    Runtime: 'provided.al2023',
    Handler: 'bootstrap',
  },
};

for (const [what, template, want] of [
  ['nothing', { Resources: { Health: sound } }, []],
  ['an unknown property', { Resources: { Health: withProperties({ Timeot: 3 }) } }, ['stack Health F3002']],
  ['a wrong type', { Resources: { Health: withProperties({ Timeout: 'soon' }) } }, ['stack Health F3012']],
  ['an unknown resource', { Resources: { Health: { Type: 'AWS::Lambda::Functions' } } }, ['stack Health F3006']],
  ['a warning', { Resources: { Health: withProperties({ Runtime: 'provided.al2027' }) } }, ['stack Health W3030']],
  ['a dangling reference', { Resources: { Health: sound }, Outputs: { URL: { Value: { Ref: 'Nowhere' } } } },
    ['stack undefined F6101', 'stack undefined CfnInclude']],
  ['an old runtime', { Resources: { Health: withProperties({ Runtime: 'python3.12' }) } }, ['stack Health AwsSolutions-L1']],
  ['a wildcard', { Resources: { Reader: roleThatMay('dynamodb:*') } },
    ['stack Reader AwsSolutions-IAM5[Action::dynamodb:*]', 'stack Reader AwsSolutions-IAM5[Resource::*]']],
  ['no JSON', '{', ['stack undefined F1101', 'stack undefined cloudformation-validate', 'stack undefined CfnInclude']],
]) {
  test(`findings in a template with ${what} wrong`, t => {
    assert.deepEqual(findingsIn(write(t, template)).map(({ rule, stack, resource }) => `${stack} ${resource} ${rule}`), want);
  });
}

const installed = spawnSync('cfn-lint', ['--version']).error === undefined;

for (const [what, template, want] of [
  ['nothing', { Resources: { Health: sound } }, []],
  ['an unknown property', { Resources: { Health: withProperties({ Timeot: 3 }) } }, ['stack Health E3002']],
  ['no JSON', '{', ['stack undefined E0000']],
]) {
  test(`cfn-lint, where it is installed, on a template with ${what} wrong`, t => {
    const found = cfnLint([write(t, template)]).map(({ rule, stack, resource }) => `${stack} ${resource} ${rule}`);
    assert.deepEqual(found, installed ? want : []);
  });
}

for (const [what, program, want] of [
  ['is not there', 'cfn-lint-of-nobody', []],
  ['writes no report', 'false', ['cfn-lint']],
  ['cannot be started', '.', ['cfn-lint']],
]) {
  test(`cfn-lint that ${what}`, () => assert.deepEqual(cfnLint(['plain/keys.template.json'], program).map(({ rule }) => rule), want));
}

const finding = { rule: 'R1', deployment: 'plain', stack: 'keys', resource: 'Queue0123ABCD', message: 'it is wrong' };
const open = 'plain/keys: Queue0123ABCD: R1: it is wrong';
const idle = 'accepted.json: nothing to accept: ';

for (const [what, findings, accepted, want] of [
  ['nothing found', [], [], []],
  ['no row', [finding], [], [open]],
  ['a row for the rule', [finding], [{ rule: 'R1' }], []],
  ['a row for the resource', [finding], [{ rule: 'R1', stack: 'keys', resource: 'Queue' }], []],
  ['a row for another rule', [finding], [{ rule: 'R2' }], [open, `${idle}R2`]],
  ['a row for another stack', [finding], [{ rule: 'R1', stack: 'orders' }], [open, `${idle}R1 orders`]],
  ['a row for another resource', [finding], [{ rule: 'R1', resource: 'Queue2' }], [open, `${idle}R1 Queue2`]],
  ['a row that is in vain', [], [{ rule: 'R1' }], [`${idle}R1`]],
  ['an optional row', [finding], [{ rule: 'R1', optional: true }], []],
  ['an optional row that is in vain', [], [{ rule: 'R1', optional: true }], []],
]) {
  test(`faults with ${what}`, () => assert.deepEqual(faults(findings, accepted), want));
}

function withProperties(properties) {
  return { ...sound, Properties: { ...sound.Properties, ...properties } };
}

function roleThatMay(action) {
  const document = statement => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: document({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }),
      Policies: [{ PolicyName: 'reader', PolicyDocument: document({ Action: action, Resource: '*' }) }],
    },
  };
}

function write(t, template) {
  const dir = mkdtempSync(join(tmpdir(), 'verify-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'stack.template.json');
  writeFileSync(path, typeof template === 'string' ? template : JSON.stringify(template));
  return path;
}
