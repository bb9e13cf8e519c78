import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { onnxNetwork } from '../../src/networks/onnx/onnx.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { cutByChance, differenceOf } from '../support/cut.ts';
import { runPython } from './python.ts';

interface Entry {
  readonly name: string;
  readonly exporter: string;
  readonly file: string;
}

let folder = '';
let written: { size: number; entries: readonly Entry[] };

beforeAll(() => {
  useLazyBackend(evaluator);
  folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  written = runPython('zoo_cut.py', folder) as typeof written;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BATCH = 4;
const OUTPUTS = 'its channels are the outputs of the model';

/** Why channels of some nets stay, beside those that are their outputs. */
const KEPT: Readonly<Record<string, RegExp>> = {
  swin: /LayerNormalization needs its channels as they are/,
  convnext: /LayerNormalization needs its channels as they are/,
  vit: /(LayerNormalization|layer_norm) needs its channels as they are/,
};

it("torchvision's nets without channels answer as with these channels at zero, within 1e-5", async () => {
  const { size, entries } = written;
  const bytes = readFileSync(path.join(folder, 'x.bin'));
  const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).slice();
  const lines: string[] = [];
  for (const { name, exporter, file } of entries) {
    const model = decodeModel(readFileSync(path.join(folder, file)), file);
    const options = {
      inputShape: [size, size, 3],
      classes: 20,
      seed: 0,
      head: 'keep',
      freeze: [],
      isTrimmed: false,
    } as const;
    const network = onnxNetwork(model, file, options);
    const { found, before, after, whole, zeroed, without } = await cutByChance(network, {
      data,
      shape: [BATCH, size, size, 3],
    });
    const numbers = (of: typeof before): number => [...of.values()].reduce((sum, one) => sum + one.data.length, 0);
    const error = differenceOf(without, zeroed);
    lines.push(
      `| ${name} | ${exporter} | ${found.groups.length} | ${numbers(before)} | ${numbers(after)} | ${error.toExponential(1)} |`,
    );
    expect([file, error < 1e-5]).toEqual([file, true]);
    // What was removed was something.
    expect(differenceOf(whole, zeroed)).toBeGreaterThan(1e-2);
    for (const { why } of found.skipped.filter((one) => one.why !== OUTPUTS)) expect(why).toMatch(KEPT[name] ?? /^$/);
    network.dispose();
  }
  expect(entries.length).toBeGreaterThan(10);
  console.log(lines.join('\n'));
});
