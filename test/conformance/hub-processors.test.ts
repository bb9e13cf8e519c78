import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodedPicture } from '../../src/data/pictures/decode.ts';
import { hubJson } from '../../src/setup/hub/files.ts';
import { hubPreparation } from '../../src/setup/hub/pictures.ts';
import { runPython } from './python.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hub-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('pictures are prepared as the image processors of transformers do it, to the rounding of a pixel', async () => {
  const names = runPython('hub_processors.py', folder) as string[];
  for (const name of names) {
    const { resize, normalize, ...how } = hubPreparation(name, hubJson(path.join(folder, name), 'preprocessor_config.json'), 3); // prettier-ignore
    const [height, width] = resize!;
    let [worst, off, count] = [0, 0, 0];
    for (let p = 0; p < 3; p++) {
      const input = path.join(folder, `${p}.png`);
      const pixels = await decodedPicture({ where: input, input }, [height, width, 3], how);
      const { buffer } = Uint8Array.from(readFileSync(path.join(folder, `${name}.${p}.bin`)));
      const theirs = new Float32Array(buffer);
      expect(theirs).toHaveLength(pixels.length);
      theirs.forEach((value, i) => {
        const [c, at] = [Math.floor(i / (height * width)), i % (height * width)];
        const raw = (value * normalize.std[c]! + normalize.mean[c]!) / normalize.scale;
        const difference = Math.abs(raw - pixels[3 * at + c]!);
        [worst, off, count] = [Math.max(worst, difference), off + Number(difference > 0.5), count + 1];
      });
    }
    console.log(`${name}: at most ${worst.toFixed(3)} of 255 apart, ${off} of ${count} values by more than a half`);
    expect(worst).toBeLessThan(1.1);
  }
});
