import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';
import type { CommandCase } from './commands.ts';
import { FILES } from './files.ts';
import type { Case } from './files.ts';

const folder = temporaryFolder();

/** Tests of recipes and of commands by what each refuses: exit code 1, a message, a remedy, no stack and untouched files. */
export function refuses(
  recipes: Readonly<Record<string, Case>>,
  commands: Readonly<Record<string, CommandCase>>,
): void {
  it.each(Object.entries(recipes))('%s', async (_name, { recipe, files = {}, message }) => {
    await refused(['run', 'r.yaml'], { ...FILES, ...files, 'r.yaml': recipe }, message);
    await expectNoResult(path.join(folder(), 'checkpoints/r'));
  });

  it.each(Object.entries(commands))('%s', async (_name, { args, files = {}, message }) => {
    await refused(args, files, message);
    await expectNoResult(folder(), Object.keys(files));
  });
}

async function refused(
  args: readonly string[],
  files: Readonly<Record<string, string | Buffer>>,
  message: readonly string[],
): Promise<void> {
  await mkdir(path.join(folder(), 'empty'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder(), name)), { recursive: true });
    await writeFile(path.join(folder(), name), content);
  }
  const { code, stderr, stdout } = await inProcess(folder(), ...args);
  expect(relative(stderr).split('\n')).toEqual([...message, '']);
  expect(code).toBe(1);
  expect(message.length).toBeGreaterThanOrEqual(2);
  expect(stderr + stdout).not.toMatch(/^ {4}at /m);
  for (const [name, content] of Object.entries(files))
    expect((await readFile(path.join(folder(), name))).equals(Buffer.from(content))).toBe(true);
}

/** What was printed, whatever the folder of the test is called. */
function relative(text: string): string {
  return text.replaceAll(`${folder()}${path.sep}`, '').replaceAll(folder(), '<folder>');
}

/** A run that failed leaves no model, and if a report, then one that says so. */
async function expectNoResult(run: string, given: readonly string[] = []): Promise<void> {
  const names = await readdir(run, { recursive: true }).catch((): string[] => []);
  expect(names.filter((name) => name.endsWith('.onnx') && !given.includes(name))).toEqual([]);
  if (!names.includes('report.json')) return;
  expect(JSON.parse(await readFile(path.join(run, 'report.json'), 'utf8'))).toMatchObject({ status: 'failed' });
  expect(await readFile(path.join(run, 'report.html'), 'utf8')).toContain('<p class="lead">The run failed in ');
}
