import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import { tensorboardWriter } from '../../src/observers/tensorboard/writer.ts';
import { runPython } from './python.ts';

type Found = Record<string, Record<string, [number, number][]> & { records: number }>;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tensorboard-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (step: number): RunEvent[] => [
  { type: 'run', name: 'r', folder, resumed: step > 0 },
  { type: 'stage', stage: 'distill', title: 'distilling', step },
];

const epoch = (number: number, loss: number): RunEvent => ({
  ...{ type: 'epoch', stage: 'distill', epoch: number, epochs: 4, step: 200 * number, loss },
  ...{ score: 0.5, validation: 0.25 * number, seconds: 1 },
});

const read = (): Found => runPython('tensorboard_check.py', path.join(folder, 'tensorboard')) as Found;

describe("TensorBoard's own reader", () => {
  it('finds the curves of each stage, at their steps and with their values', () => {
    const write = tensorboardWriter(() => undefined);
    [...start(0), epoch(1, 1.5), epoch(2, 0.75)].forEach(write);
    write({ ...epoch(1, 3), stage: 'scratch' } as RunEvent);
    const { distill, scratch } = read();
    expect(distill).toMatchObject({
      'epoch/loss': [
        [200, 1.5],
        [400, 0.75],
      ],
      'epoch/validation_accuracy': [
        [200, 0.25],
        [400, 0.5],
      ],
      // The version, the start, two epochs.
      records: 4,
    });
    expect(scratch!['epoch/loss']).toEqual([[200, 3]]);
  });

  it('leaves aside what a resumed run does again', () => {
    [...start(0), epoch(1, 1.5), epoch(2, 99), epoch(3, 99)].forEach(tensorboardWriter(() => undefined));
    [...start(201), epoch(2, 0.75), epoch(3, 0.5)].forEach(tensorboardWriter(() => undefined));
    expect(read().distill!['epoch/loss']).toEqual([
      [200, 1.5],
      [400, 0.75],
      [600, 0.5],
    ]);
  });

  it('checks the checksums: a changed byte ends the file', () => {
    [...start(0), epoch(1, 1.5)].forEach(tensorboardWriter(() => undefined));
    const place = path.join(folder, 'tensorboard/distill');
    const file = path.join(place, readdirSync(place)[0]!);
    const bytes = readFileSync(file);
    bytes[bytes.length - 8]! ^= 1;
    writeFileSync(file, bytes);
    expect(read().distill).toEqual({ records: 2 });
  });
});
