import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../../src/base/errors.ts';
import { failureOf } from '../../../src/commands/terminal/failure.ts';
import type { JsonFailure } from '../../../src/commands/terminal/failure.ts';
import { limbeck } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { inProcess } from '../../support/in-process.ts';

const folder = temporaryFolder();
const errorIn = (stdout: string): JsonFailure => (JSON.parse(stdout) as { error: JsonFailure }).error;

const RECIPE = `name: wrong
dataset: { type: csv, train: rows.csv, label: y, normalise: unit }
student: { model: mlp }
distill:
  epochs: many
`;

describe('--json of a command that fails', () => {
  it('has every mistake of a recipe with its place and key', async () => {
    await writeFile(path.join(folder(), 'wrong.yaml'), RECIPE);
    const { code, stdout, stderr } = await inProcess(folder(), 'validate', 'wrong.yaml', '--json');
    expect(code).toBe(1);
    const { problems, ...first } = errorIn(stdout);
    expect(first).toMatchObject({
      ...{ code: 'recipe', file: 'wrong.yaml', line: 2, column: 50, key: 'dataset.normalise' },
      ...{
        message: expect.stringMatching(/^wrong\.yaml:2:50 .*\nwrong\.yaml:5:11 /) as string,
        hint: expect.any(String) as string,
      },
    });
    expect(problems).toEqual([
      {
        ...{ file: 'wrong.yaml', line: 2, column: 50, key: 'dataset.normalise' },
        ...{ message: 'wrong.yaml:2:50 dataset.normalise: unknown key', hint: 'Did you mean normalize?' },
      },
      {
        ...{ file: 'wrong.yaml', line: 5, column: 11, key: 'distill.epochs' },
        message: 'wrong.yaml:5:11 distill.epochs: expected a number, received "many"',
        hint: expect.stringContaining('Change distill.epochs') as string,
      },
    ]);
    // People read the same as without the option.
    expect(stderr).toBe((await inProcess(folder(), 'validate', 'wrong.yaml')).stderr);
  });

  it('has no file where --set is what is wrong', async () => {
    await writeFile(path.join(folder(), 'right.yaml'), RECIPE.replace('normalise', 'normalize').replace('many', '1'));
    const { stdout } = await inProcess(folder(), 'validate', 'right.yaml', '--json', '--set', 'distill.epochs=0');
    expect(errorIn(stdout)).toMatchObject({ code: 'recipe', file: null, line: null, key: 'distill.epochs' });
  });

  it.each([
    ['not YAML', ['validate', 'bad.yaml'], { code: 'recipe', file: 'bad.yaml', line: 2, column: 1, key: null }],
    ['a missing file', ['validate', 'no.yaml'], { code: 'input', file: 'no.yaml', line: null, column: null }],
    ['a row of data', ['validate', 'data.yaml', '--data'], { code: 'input', file: 'rows.csv', line: 3, column: null }],
    ['a command', ['rnu'], { code: 'usage', file: null, message: /^Unknown command: rnu$/ }],
    ['an option', ['run', 'a.yaml', '--save-every', 'often'], { code: 'usage', message: /^--save-every: / }],
  ])('says that %s is wrong', async (_, args, { file, message, ...expected }: Record<string, unknown>) => {
    await writeFile(path.join(folder(), 'bad.yaml'), 'name: a\n\tb: c\n');
    await writeFile(path.join(folder(), 'rows.csv'), 'a,y\n1,0\noops,1\n3,0\n');
    const data = 'dataset: { type: csv, train: rows.csv, label: y }\nstudent: { model: mlp }\n';
    await writeFile(path.join(folder(), 'data.yaml'), data);
    const { code, stdout } = await inProcess(folder(), ...args, '--json');
    expect(code).toBe(1);
    const error = errorIn(stdout);
    expect(error).toMatchObject(expected);
    if (message !== undefined) expect(error.message).toMatch(message as RegExp);
    if (file !== undefined) expect(error.file && path.basename(error.file)).toBe(file);
  });

  it('is on stdout of the process, and absent without the option', async () => {
    const { stdout, stderr } = await limbeck(folder(), 'validate', 'no.yaml', '--json');
    expect([errorIn(stdout).code, stderr]).toEqual(['input', expect.stringMatching(/^no\.yaml: /)]);
    expect((await inProcess(folder(), 'validate', 'no.yaml')).stdout).toBe('');
  });
});

it('tells an interrupted run and a bug of ours from mistakes', () => {
  expect(failureOf(new InterruptedError('stopped'))).toMatchObject({
    ...{ exitCode: 130, text: 'stopped\n' },
    json: { code: 'interrupted', message: 'stopped', hint: null, problems: [] },
  });
  const { exitCode, json } = failureOf(new TypeError('x is not a function'));
  expect([exitCode, json.code]).toEqual([70, 'bug']);
  expect(json.message).toMatch(/^TypeError: x is not a function\n {4}at /);
});
