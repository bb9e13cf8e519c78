import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { boxes } from './broken/boxes.ts';
import { commands } from './broken/commands.ts';
import { compressing } from './broken/compress.ts';
import { data } from './broken/data.ts';
import { labels } from './broken/labels.ts';
import { FILES } from './broken/files.ts';
import { recipes } from './broken/recipes.ts';
import { sounds } from './broken/sounds.ts';
import { students } from './broken/students.ts';
import { tags } from './broken/tags.ts';
import { teachers } from './broken/teachers.ts';
import { texts } from './broken/texts.ts';
import { pairRecipes, vectorCommands, vectorRecipes } from './broken/vectors.ts';
import { temporaryFolder } from './support/folder.ts';
import { inProcess } from './support/in-process.ts';

const folder = temporaryFolder();

describe('a broken input ends with exit code 1, a message, a remedy, no stack and untouched files', () => {
  it.each(
    Object.entries({
      ...recipes,
      ...data,
      ...sounds,
      ...labels,
      ...students,
      ...tags,
      ...boxes,
      ...teachers,
      ...texts,
      ...vectorRecipes,
      ...pairRecipes,
    }),
  )('%s', async (_name, { recipe, files = {}, message }) => {
    await refused(['run', 'r.yaml'], { ...FILES, ...files, 'r.yaml': recipe }, message);
    await expectNoResult(path.join(folder(), 'checkpoints/r'));
  });

  it.each(Object.entries({ ...commands, ...compressing, ...vectorCommands }))(
    '%s',
    async (_name, { args, files = {}, message }) => {
      await refused(args, files, message);
      await expectNoResult(folder(), Object.keys(files));
    },
  );
});

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
