import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../../src/base/events.ts';
import { tensorboardWriter } from '../../../src/observers/tensorboard/writer.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { training } from '../../support/run-events.ts';

const folder = temporaryFolder();

describe("TensorBoard's files", () => {
  it('lie in a folder per stage; a start has files of its own', async () => {
    const run = folder();
    const failures: string[] = [];
    const write = tensorboardWriter((message) => failures.push(message));
    training(run).forEach(write);
    const place = path.join(run, 'tensorboard/distill');
    const [name, ...others] = await readdir(place);
    expect(others).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\./);
    const text = await readFile(path.join(place, name!), 'latin1');
    for (const tag of [
      'brain.Event:2',
      'running/loss',
      'speed/seconds_per_step',
      'memory/resident_bytes',
      'epoch/validation_accuracy',
    ])
      expect(text).toContain(tag);
    const again = tensorboardWriter(() => undefined);
    training(run).forEach(again);
    expect(await readdir(place)).toHaveLength(2);
    expect(failures).toEqual([]);
  });

  it('have the test accuracy of each file, and in a search a folder per trial', async () => {
    const write = tensorboardWriter(() => undefined);
    const score = { validation: 0.625, test: 0.5 };
    const measured: RunEvent = { type: 'done', stage: 'measure exports/a.onnx', seconds: 1, figures: { score } };
    [...training(folder()), measured, { ...measured, trial: 'width-1' }].forEach(write);
    const place = path.join(folder(), 'tensorboard');
    expect((await readdir(place)).sort()).toEqual(['distill', 'measure-exports-a.onnx', 'width-1']);
    for (const one of ['measure-exports-a.onnx', 'width-1/measure-exports-a.onnx']) {
      const [name] = await readdir(path.join(place, one));
      const text = await readFile(path.join(place, one, name!), 'latin1');
      expect(text).toContain('result/test_accuracy');
      expect(text).toContain('result/validation_accuracy');
    }
  });

  it('that cannot be written are given up with one warning, and the run goes on', async () => {
    await writeFile(path.join(folder(), 'tensorboard'), 'in the way');
    const failures: string[] = [];
    const write = tensorboardWriter((message) => failures.push(message));
    training(folder()).forEach(write);
    expect(failures).toEqual([expect.stringMatching(/^TensorBoard's files cannot be written: /)]);
  });
});
