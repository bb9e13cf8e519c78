// Needs the features esphome, micro-features, streams and tflite.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { asHeard, Device } from '../../src/consumers/esphome/device.ts';
import { writeEsphomeFolder } from '../../src/consumers/esphome/folder.ts';
import { parseWav } from '../../src/data/sounds/wav.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { temporaryFolder } from '../support/folder.ts';
import { wakeWord } from '../support/wake-word.ts';
import { runPython } from './python.ts';

const folder = temporaryFolder();

interface Heard {
  readonly file: string;
  readonly heard: boolean;
  /** Probabilities hop by hop, in 256ths: of pymicro-wakeword, of the official interpreter with XNNPACK and without, of TensorFlow Lite Micro. */
  readonly package: readonly number[];
  readonly accelerated: readonly number[];
  readonly plain: readonly number[];
  readonly micro: readonly number[];
}

it('pymicro-wakeword opens model and manifest, and hears in each hop the probability that ESPHome folders are judged by', async () => {
  const sounds = path.join(folder(), 'sounds');
  const { folder: run } = await runRecipe(makeRecipe(wakeWord(sounds), folder()), { out: folder() });
  const out = path.join(folder(), 'out');
  await writeEsphomeFolder(run, out, { model: 'scratch', recordings: path.join(sounds, 'recordings'), phrase: 'up' });
  const words = runPython('wake_word.py', path.join(out, 'up.json'), path.join(sounds, 'test/word')) as Heard[];
  const others = runPython('wake_word.py', path.join(out, 'up.json'), path.join(sounds, 'recordings')) as Heard[];
  const bytes = readFileSync(path.join(out, 'up.tflite'));
  const logit = logitStep(bytes);
  let [hops, same, most] = [0, 0, 0];
  for (const { file, package: asked, accelerated, plain, micro } of [...words, ...others]) {
    const device = await Device.open(bytes, 'up.tflite');
    const ours = [...(await device.hear(asHeard(parseWav(readFileSync(file), file).values)))];
    device.close();
    expect([file, ...accelerated]).toEqual([file, ...ours]);
    expect([file, ...plain]).toEqual([file, ...asked]);
    for (const other of [asked, micro])
      ours.forEach((value, i) => {
        hops++;
        const off = Math.abs(value - other[i]!);
        if (off === 0) same++;
        most = Math.max(most, off);
      });
  }
  process.stdout.write(
    `${hops} hops beside pymicro-wakeword and TensorFlow Lite Micro: ${((100 * same) / hops).toFixed(2)} % equal, at most ${most} of 256 (a step of the logit: ${logit.toFixed(1)})\n`,
  );
  // Kernels that round otherwise differ by a step of the last layer, which the sigmoid turns into at most a quarter of it.
  expect(most).toBeLessThanOrEqual(Math.ceil(2 * logit));
  expect(words.filter(({ heard }) => heard).length).toBeGreaterThan(words.length / 2);
});

/** 256ths of a probability that a step of the logit is at most. */
function logitStep(bytes: Uint8Array): number {
  const [{ tensors, operators }] = readTflite(bytes).subgraphs as [ReturnType<typeof readTflite>['subgraphs'][0]];
  const last = operators.find(({ outputs }) => tensors[outputs[0] ?? -1]?.quantization?.scale?.[0] === 1 / 256)!;
  return (256 / 4) * tensors[last.inputs[0]!]!.quantization!.scale![0]!;
}
