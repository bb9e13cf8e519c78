import { clip } from '../../../src/data/sounds/clip.ts';
import { polyphase } from '../../../src/data/sounds/polyphase.ts';
import { fittedPixels } from '../../../src/data/pictures/fitted.ts';
import { parseWav } from '../../../src/data/sounds/wav.ts';
import { browserSample } from '../../../src/consumers/browser/page.ts';
import { sharedModules } from '../../../src/ship/kit/portable.ts';
import { wavFile } from '../../support/sound.ts';

/** Functions of the pages between two lines of their script, with what a browser gives them. */
async function functionsOf<F>(
  input: 'numbers' | 'sound',
  span: readonly [string, string],
  given: object,
  result: string,
): Promise<F> {
  const script = (await browserSample('classes', new Set(['onnx']), input))['kit.js']!;
  const part = script.slice(script.indexOf(span[0]), script.indexOf(span[1]));
  // oxlint-disable-next-line typescript/no-implied-eval -- The script of a page is what is tested.
  const make = new Function(...Object.keys(given), `${part}return ${result};`) as (...values: unknown[]) => F;
  return make(...(Object.values(given) as unknown[]));
}

it.each([8000, 16_000, 44_100])(
  'the page of a kit hears a file of %i values a second as its recipe does',
  async (rate) => {
    const asked: number[] = [];
    class OfflineAudioContext {
      constructor(_channels: number, _length: number, at: number) {
        asked.push(at);
      }
      decodeAudioData(bytes: ArrayBuffer) {
        const { values } = parseWav(new Uint8Array(bytes), 'x.wav');
        return Promise.resolve({ numberOfChannels: 1, getChannelData: () => values });
      }
    }
    const hear = await functionsOf<(file: Blob) => Promise<Float32Array>>(
      'sound',
      ['/** The middle of a recording', '/** Calls hear(values)'],
      { OfflineAudioContext, polyphase, input: { shape: [1, 900, 1] }, sound: { rate: 16_000 } },
      'async (file) => clip(await recorded(file))',
    );
    const plain = wavFile(
      Array.from({ length: 3000 }, (_, i) => ((i * 7) % 11) / 11 - 0.5),
      { tag: 3, bits: 32, rate },
    );
    const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const file = Buffer.concat([plain.subarray(0, 12), list, plain.subarray(12)]);
    const heard = await hear(new Blob([file]));
    // A browser would resample by a filter of its own, which differs by up to a tenth.
    expect(asked).toEqual([rate]);
    expect(heard).toEqual(clip(parseWav(file, 'x.wav'), { rate: 16_000, seconds: 900 / 16_000 }));
  },
);

it('a kit brings the functions along that its page imports', async () => {
  const files = await browserSample('classes', new Set(['onnx']), 'sound');
  expect(files['kit.js']).toContain("import { polyphase } from './polyphase.js'");
  expect(files['polyphase.js']).toBe((await sharedModules(['polyphase']))['polyphase.js']);
  expect(files['polyphase.js']).not.toMatch(/^import/m);
});

it('the page of a kit refuses a picture with transparent parts, whose colours no browser tells', async () => {
  let data = Uint8ClampedArray.of(10, 20, 30, 255, 40, 50, 60, 255);
  class OffscreenCanvas {
    getContext() {
      return { drawImage: () => undefined, getImageData: () => ({ data }) };
    }
  }
  const rawOf = await functionsOf<(picture: object) => number[]>(
    'numbers',
    ['function rawOf', '/** Page: runs'],
    { OffscreenCanvas, fittedPixels, input: { shape: [1, 1, 2, 3] } },
    'rawOf',
  );
  expect(rawOf({ width: 2, height: 1 })).toEqual([10, 20, 30, 40, 50, 60]);
  data = Uint8ClampedArray.of(10, 20, 30, 255, 40, 50, 60, 254);
  expect(() => rawOf({ width: 2, height: 1 })).toThrow('expected a picture without transparent parts');
});
