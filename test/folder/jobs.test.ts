import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointStore } from '../../src/folder/states/checkpoint.ts';
import { JobFolder } from '../../src/folder/jobs.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** A folder of jobs of the run `r`, the saved state of a stage in one of its run folders, and a file with the result of the job. */
async function finished(kind: 'race' | 'repeats', place: string, file: string, text: string): Promise<JobFolder> {
  const jobs = new JobFolder(path.join(folder(), 'r'), kind);
  await new CheckpointStore(jobs.place(place), () => undefined).save('distill', { tensors: new Map(), metadata: {} });
  await mkdir(path.dirname(jobs.place(file)), { recursive: true });
  await writeFile(jobs.place(file), text);
  return jobs;
}

describe('a finished job', () => {
  it.each([
    ['whose states lie beside its result', 'repeats', '2', '2/repeat.json', '{"key":"k"}\n'],
    [
      'whose result names the folder of its states',
      ...(['race', 'round-1-shard-0-of-2', 'done/race-1-1.json'] as const),
      '{"key":"k","validation":0.5,"folder":"round-1-shard-0-of-2"}\n',
    ],
  ] as const)('%s gives the run its states, once', async (_, kind, place, file, text) => {
    const jobs = await finished(kind, place, file, text);
    const to = path.join(folder(), 'r');
    expect(await jobs.take(file, 'k', ['scratch', 'distill'], to)).toBe(true);
    expect(await readdir(path.join(to, 'state'))).toEqual(['distill-000001.safetensors']);
    expect(await jobs.take(file, 'k', ['scratch', 'distill'], to)).toBe(false);
  });

  it('that was done from something else is refused by the name of its file', async () => {
    const jobs = await finished('repeats', '2', '2/repeat.json', '{"key":"other"}\n');
    const take = jobs.take('2/repeat.json', 'k', ['distill'], path.join(folder(), 'r'));
    await expect(take).rejects.toMatchObject({
      message: expect.stringMatching(/r-repeats.2.repeat\.json: trained by another recipe, student, teacher/) as string,
      hint: expect.stringMatching(/^Remove \S+r-repeats, and let its shards or this run train again\.$/) as string,
    });
    expect(await readdir(folder())).toEqual(['r-repeats']);
  });
});

it('a job that is not finished gives nothing', async () => {
  const jobs = new JobFolder(path.join(folder(), 'r'), 'race');
  expect(await jobs.find('done/race-1-1.json', 'k')).toBeUndefined();
  expect(await jobs.take('done/race-1-1.json', 'k', ['distill'], path.join(folder(), 'r'))).toBe(false);
});
