import { batchCount, batches, passesOf, viewOf } from '../../../src/data/batches/batches.ts';
import type { Batch, BatchOptions } from '../../../src/data/batches/batches.ts';
import type { AugmentStep } from '../../../src/data/config.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { countingDataset, datasetOf } from '../support.ts';

const augment: AugmentStep[] = [{ shift: 2 }, { flip: 'horizontal' }, { rotate: 10 }, { cutout: 3 }];
const options: BatchOptions = { batchSize: 16, seed: 7, epoch: 3 };
const images = countingDataset(50, [6, 5, 1]);

const all = (dataset: Dataset, changes: Partial<BatchOptions> = {}) => [
  ...batches(dataset, { ...options, ...changes }),
];
const order = (list: readonly Batch[]) => list.flatMap(({ ids }) => [...ids]);

/** The pixels of every sample of an epoch, by row. */
function byRow(list: readonly Batch[], size: number): Map<number, string> {
  return new Map(
    list.flatMap(({ ids, x }) => Array.from(ids, (row, i) => [row, x.slice(i * size, (i + 1) * size).join()] as const)),
  );
}

describe('batches', () => {
  it('hold every sample once, the last batch being smaller', () => {
    const list = all(images);
    expect(list.map(({ ids }) => ids.length)).toEqual([16, 16, 16, 2]);
    expect(list.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(list[3]!.shape).toEqual([2, 6, 5, 1]);
    expect(list[3]!.x.length).toBe(60);
    expect(order(list).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(batchCount(50, 16)).toBe(4);
    expect(batchCount(48, 16)).toBe(3);
  });

  it('give each row its own pixels, normalized, and its label', () => {
    for (const { ids, x, targets } of all(images)) {
      ids.forEach((row, i) => {
        expect(targets[i]).toBe(row % 3);
        expect(x[i * 30 + 4]).toBe(Math.fround(((row * 7 + 4) % 256) / 255));
      });
    }
  });

  it('are shuffled by seed and epoch alone, or left in order', () => {
    expect(order(all(images))).toEqual(order(all(images, { augment })));
    expect(order(all(images))).not.toEqual(order(all(images, { epoch: 4 })));
    expect(order(all(images))).not.toEqual(order(all(images, { seed: 8 })));
    expect(order(all(images, { batchSize: 7 }))).toEqual(order(all(images)));
    expect(order(all(images, { shuffle: false }))).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('have samples of a class beside one another if that is asked for, and the last without a label last', () => {
    // Rows 0, 25; 1, 26; … are pairs, of which rows 40 to 49 have no label.
    const labelled = Uint8Array.from({ length: 50 }, (_, row) => (row < 40 ? 1 : 0));
    const targets = Int32Array.from({ length: 50 }, (_, row) => row % 25);
    const classNames = Array.from({ length: 25 }, (_, i) => `pair ${i}`);
    const pairs = { ...images, labelled, targets, classNames, vector: { size: 8, prefixes: [], perClass: 2 } };
    const rows = order(all(pairs));
    expect([...rows].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    const place = (row: number): number => rows.indexOf(row);
    for (let row = 0; row < 15; row++) expect(Math.abs(place(row) - place(row + 25))).toBe(1);
    // A last row without a label and without another beside it would part pairs into two batches.
    const odd = { ...pairs, count: 49, labelled: labelled.subarray(0, 49), targets: targets.subarray(0, 49) };
    expect(order(all(odd)).at(-1)).toBeGreaterThanOrEqual(40);
    expect(order(all(pairs))).toEqual(rows);
    expect(order(all(pairs, { epoch: 4 }))).not.toEqual(rows);
    expect(order(all({ ...pairs, vector: { size: 8, prefixes: [] } }))).toEqual(order(all(images)));
  });

  it('after a resume are the rest of the same epoch', () => {
    const changes: Partial<BatchOptions> = {
      augment: [...augment, { mixup: 0.3 }],
      classWeights: Float32Array.of(1, 2, 3),
    };
    expect(all(images, { ...changes, startBatch: 2 })).toEqual(all(images, changes).slice(2));
    expect(all(images, { startBatch: 4 })).toEqual([]);
  });

  it('can share one buffer', () => {
    const buffers = new Set<ArrayBufferLike>();
    const contents: number[][] = [];
    for (const { x } of batches(images, { ...options, augment, reuse: true })) {
      buffers.add(x.buffer);
      contents.push([...x]);
    }
    expect(buffers.size).toBe(1);
    expect(contents).toEqual(all(images, { augment }).map(({ x }) => [...x]));
  });

  it('normalize per channel, bytes and floats alike', () => {
    const normalization = { scale: 1 / 255, mean: [0.5, 0, 0.25], std: [0.25, 1, 2] };
    const bytes = { ...countingDataset(2, [1, 2, 3]), normalization };
    const floats = { ...datasetOf(Float32Array.from(bytes.samples), [1, 2, 3]), normalization };
    const expected = Array.from(bytes.samples, (value, i) =>
      Math.fround((value / 255 - normalization.mean[i % 3]!) / normalization.std[i % 3]!),
    );
    for (const dataset of [bytes, floats]) {
      const [{ x }] = all(dataset, { shuffle: false }) as [Batch];
      x.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
    }
  });

  it('leave the data set as it was', () => {
    const before = images.samples.slice();
    all(images, { augment: [...augment, { mixup: 1 }] });
    expect(images.samples).toEqual(before);
  });

  it('carry a weight per sample', () => {
    for (const { targets, weights } of all(images, { classWeights: Float32Array.of(1, 2, 3) })) {
      expect([...weights!]).toEqual(Array.from(targets, (label) => label + 1));
    }
    expect(all(images)[0]).not.toHaveProperty('weights');
  });
});

describe('augmented batches', () => {
  it('repeat for the same seed and epoch, and differ for another', () => {
    expect(all(images, { augment })).toEqual(all(images, { augment }));
    const first = byRow(all(images, { augment }), 30);
    for (const changes of [{ epoch: 4 }, { seed: 8 }]) {
      const other = byRow(all(images, { augment, ...changes }), 30);
      expect([...first].filter(([row, pixels]) => other.get(row) !== pixels).length).toBeGreaterThan(40);
    }
  });

  it('give a sample the same chance wherever it is in the order, whatever the batch size', () => {
    const expected = byRow(all(images, { augment }), 30);
    expect(byRow(all(images, { augment, batchSize: 7 }), 30)).toEqual(expected);
    expect(byRow(all(images, { augment, shuffle: false }), 30)).toEqual(expected);
  });

  it('key chance by sample id, not by row', () => {
    const rows = [40, 3, 17];
    const part: Dataset = {
      ...images,
      count: 3,
      ids: Int32Array.from(rows),
      targets: Int32Array.from(rows, (row) => row % 3),
      samples: Uint8Array.from(rows.flatMap((row) => [...images.samples.subarray(row * 30, row * 30 + 30)])),
    };
    const whole = byRow(all(images, { augment }), 30);
    expect([...byRow(all(part, { augment, shuffle: false }), 30).values()]).toEqual(rows.map((row) => whole.get(row)));
  });

  it('differ between samples of one epoch', () => {
    const same: Dataset = { ...images, samples: new Uint8Array(1500).map((_, i) => (i % 30) * 8) };
    expect(new Set(byRow(all(same, { augment }), 30).values()).size).toBeGreaterThan(40);
  });
});

describe('views', () => {
  it('come round again every k epochs, and are those of viewOf', () => {
    const views = [0, 1, 2, 3].map((epoch) => all(images, { augment, views: 3, epoch }));
    expect(views.map((list) => list[0]!.view)).toEqual([0, 1, 2, 0]);
    const pixels = views.map((list) => byRow(list, 30));
    expect(pixels[3]).toEqual(pixels[0]);
    expect(order(views[3]!)).not.toEqual(order(views[0]!));
    for (const row of [0, 13, 49]) {
      const seen = [0, 1, 2].map((view) => viewOf(images, [row], { seed: 7, view, augment }).join());
      expect(seen).toEqual([0, 1, 2].map((view) => pixels[view]!.get(row)));
      expect(new Set(seen).size).toBeGreaterThan(1);
    }
  });

  it('without augmentation are the plain samples', () => {
    expect(all(images, { views: 3 })[0]).not.toHaveProperty('view');
    expect([...viewOf(images, [1], { seed: 7, view: 2, augment: [] })]).toEqual(
      Array.from(images.samples.subarray(30, 60), (value) => Math.fround(value / 255)),
    );
  });
});

describe('mixup', () => {
  it('tells partners and weights, per batch and repeatably, for tables too', () => {
    const table = countingDataset(20, [2]);
    const changes = { augment: [{ mixup: 0.4 }], batchSize: 8, classWeights: Float32Array.of(1, 2, 3) };
    const list = all(table, changes);
    expect(list).toEqual(all(table, changes));
    expect([...list[0]!.mix!.lambda]).not.toEqual([...list[1]!.mix!.lambda]);
    for (const { ids, x, targets, mix, weights } of list) {
      const { partners, lambda } = mix!;
      ids.forEach((row, i) => {
        const [own, other] = [row, ids[partners[i]!]!].map((r) => Math.fround(table.samples[2 * r]! / 255)) as [
          number,
          number,
        ];
        expect(x[2 * i]).toBeCloseTo(lambda[i]! * own + (1 - lambda[i]!) * other, 5);
        const weight = lambda[i]! * (targets[i]! + 1) + (1 - lambda[i]!) * (targets[partners[i]!]! + 1);
        expect(weights![i]).toBeCloseTo(weight, 5);
      });
    }
  });
});

it('passes go on within one where a training was stopped, and begin anew at its end', async () => {
  const taken = async (from: number, to: number): Promise<string[]> => {
    // oxlint-disable-next-line typescript/require-await -- as workers give them
    const pass = async function* (index: number, start: number) {
      for (let batch = start; batch < 4; batch++) yield { index: 10 * index + batch } as Batch;
    };
    const seen: string[] = [];
    for await (const { index } of passesOf({ from, to }, 4, pass)) seen.push(String(index).padStart(2, '0'));
    return seen;
  };
  expect(await taken(0, 6)).toEqual(['00', '01', '02', '03', '10', '11']);
  expect(await taken(6, 11)).toEqual(['12', '13', '20', '21', '22']);
  expect(await taken(8, 8)).toEqual([]);
});
