import { strToU8, zipSync } from 'fflate';
import { appendLabels, associatedFiles, associatedNames } from '../../../../src/formats/tflite/metadata/archive.ts';

const MEBI = 1 << 20;

describe('files behind a model', () => {
  it('are read, stored or deflated', () => {
    const text = 'word\n'.repeat(1000);
    for (const level of [0, 9] as const) {
      expect(associatedFiles(zipSync({ 'vocabulary.txt': strToU8(text) }, { level }))).toEqual({
        'vocabulary.txt': text,
      });
    }
  });

  it('are left out where they are large, each or together', () => {
    const zip = zipSync({
      'large.bin': new Uint8Array(MEBI + 1),
      ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`${n}.txt`, new Uint8Array(MEBI - 1)])),
    });
    expect(Object.keys(associatedFiles(zip))).toEqual(['1.txt', '2.txt', '3.txt', '4.txt']);
    expect(associatedNames(zip)).toHaveLength(7);
  });

  it('are not believed in where they are more than any model has, or counted as zip64 does', () => {
    const many = zipSync(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`${i}`, new Uint8Array(1)])));
    expect(associatedNames(many)).toEqual([]);
    const zip = zipSync({ 'a.txt': strToU8('a') });
    const view = new DataView(zip.buffer);
    view.setUint16(zip.length - 12, 0xffff, true);
    expect([associatedNames(zip), associatedFiles(zip)]).toEqual([[], {}]);
  });

  it('do not swell beyond what they promise', () => {
    const zip = zipSync({ 'a.txt': new Uint8Array(MEBI - 1) }, { level: 9 });
    const directory = zip.length - 22 - 46 - 'a.txt'.length;
    new DataView(zip.buffer).setUint32(directory + 24, 10, true);
    expect(associatedFiles(zip)['a.txt']?.length ?? 0).toBeLessThanOrEqual(10);
  });
});

it('a label is one line, so that none moves those behind it', () => {
  const bytes = appendLabels(new Uint8Array(16), ['T-shirt\ntop', '', 'bag']);
  expect(associatedFiles(bytes)['labels.txt']).toBe('T-shirt top\n\nbag\n');
});
