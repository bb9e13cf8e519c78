import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Comparison } from '../../src/report/tables/compare.ts';
import { reportJson } from '../../src/report/render/json.ts';
import type { Report } from '../../src/report/types.ts';
import { example } from '../report/example.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';

const folder = temporaryFolder();

/** The folder of a run that is over, as far as it matters here. */
async function writeRun(place: string, change: Partial<Report>): Promise<void> {
  const run = path.join(folder(), place);
  await mkdir(run, { recursive: true });
  await writeFile(path.join(run, 'recipe.json'), '{}');
  await writeFile(path.join(run, 'report.json'), reportJson({ ...example, ...change }));
}

const compare = (...args: string[]) => inProcess(folder(), 'compare', ...args);

/** The cells of a line of a table, by how it begins. */
const lineOf = (text: string, start: string): string[] | undefined =>
  text
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.split(/ {2,}/);

beforeEach(async () => {
  await writeRun('checkpoints/warm', { name: 'warm', recipe: { name: 'warm', distill: { temperature: 4 } } });
  const latency = example.models.at(-1)!.latency.map((row) => ({ ...row, intervalMs: null }));
  const models = [...example.models.slice(0, -1), { ...example.models.at(-1)!, latency }];
  await writeRun('checkpoints/cold', { name: 'cold', recipe: { name: 'cold', distill: { temperature: 1 } }, models });
});

describe('limbeck compare', () => {
  it('shows a terminal what it would obey in the name of a run that somebody sent', async () => {
    await writeRun('checkpoints/sent', { name: 'sent\u001b]0;owned\u0007\u009b2J' });
    const { stdout } = await compare('warm', 'sent');
    expect(stdout).toContain('sent\\x1b]0;owned\\x07\\x9b2J');
    // oxlint-disable-next-line no-control-regex -- what is looked for
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  });

  it('puts runs side by side: recipes where they differ, accuracy and latency with their intervals', async () => {
    const { code, stdout } = await compare('warm', 'cold');
    expect(code).toBe(0);
    expect(lineOf(stdout, 'status')).toEqual(['status', 'complete', 'complete']);
    expect(lineOf(stdout, 'accuracy of distilled')!.slice(1)).toEqual(Array(2).fill('94.60 % (90.5 to 97.0)'));
    const [, warm, cold] = lineOf(stdout, 'median in onnxruntime on cpu, batch 8, 1 thread')!;
    expect([warm, cold]).toEqual(['8.00 ms (7.20 ms to 8.80 ms)', '8.00 ms']);
    expect(lineOf(stdout, 'distill.temperature')).toEqual(['distill.temperature', '4', '1']);
  });

  it('takes folders, and tells runs of one name apart by them', async () => {
    await writeRun('elsewhere/warm', { name: 'warm', status: 'interrupted', recipe: { name: 'warm' } });
    const { stdout } = await compare('checkpoints/warm', 'elsewhere/warm');
    expect(stdout.split('\n')[0]!.trim().split(/ {2,}/)).toEqual(['checkpoints/warm', 'elsewhere/warm']);
    expect(lineOf(stdout, 'status')).toEqual(['status', 'complete', 'interrupted']);
    expect((await compare('warm', 'warm')).stdout).toContain('The recipes are the same.');
  });

  it('prints the same as JSON', async () => {
    const { stdout } = await compare('warm', 'cold', '--json');
    const { runs, recipe, figures } = JSON.parse(stdout) as Comparison;
    expect(runs).toEqual(['warm', 'cold']);
    expect(recipe).toEqual([{ key: 'distill.temperature', values: [4, 1] }]);
    expect(figures.find(({ what }) => what === 'model')!.values).toEqual(['distilled', 'distilled']);
  });

  it.each([
    ['a single run', ['warm'], 'compare: expected two runs or more, received 1'],
    ['a run that is not there', ['warm', 'colt'], 'no run "colt" in checkpoints'],
  ])('refuses %s', async (_name, args, message) => {
    const { code, stderr } = await compare(...args);
    expect([code, stderr.split('\n')[0]]).toEqual([1, expect.stringContaining(message)]);
  });
});
