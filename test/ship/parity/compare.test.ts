import { compareOn } from '../../../src/ship/parity/compare.ts';
import type { Ask } from '../../../src/ship/parity/compare.ts';

type Rows = readonly (readonly number[])[];

/** A file that answers batch after batch with these rows for each of its outputs. */
function answering(outputs: Readonly<Record<string, readonly Rows[]>>): Ask & { readonly file: string } {
  let batch = 0;
  return {
    file: 'a.tflite',
    outputs: Object.keys(outputs),
    run: () => {
      const given = Object.entries(outputs).map(([name, batches]) => {
        const rows = batches[batch]!;
        return [
          name,
          { data: Float32Array.from(rows.flat()), shape: [rows.length, rows[0]!.length], isInteger: false },
        ] as const;
      });
      batch++;
      return Promise.resolve(Object.fromEntries(given));
    },
  };
}

const feeds = [2, 1].map((samples) => ({ x: { data: new Float32Array(samples), shape: [samples, 1] } }));
const scores: Rows[] = [[[1, 0, 0], [0, 2, 1]], [[0, 1, 5]]]; // prettier-ignore
const inner: Rows[] = [[[7], [8]], [[9]]];

it('counts samples, and has the class of each by both', async () => {
  const other: Rows[] = [[[1, 0, 0], [0, 2, 3]], [[0, 1, 5]]]; // prettier-ignore
  const compared = await compareOn(feeds, answering({ scores }), answering({ scores: other }), { classes: 3 });
  expect(compared).toMatchObject({
    samples: 3,
    classes: { expected: Int32Array.of(0, 1, 2), actual: Int32Array.of(0, 2, 2) },
  });
});

it('a writer may rename outputs and keeps their order', async () => {
  const reference = answering({ inner, scores });
  const renamed = answering({ 'Identity:0': inner, 'Identity_1:0': scores });
  const { outputs, classes } = await compareOn(feeds, reference, renamed, { classes: 3 });
  expect(outputs).toMatchObject([{ largestError: 0 }, { largestError: 0 }]);
  expect(classes.actual).toEqual(Int32Array.of(0, 1, 2));
  await expect(compareOn(feeds, answering({ inner, scores }), answering({ a: inner }))).rejects.toThrow(
    'a.tflite: expected an output scores, received a',
  );
});

it('no classes are read from an output that the caller did not name, nor without classes', async () => {
  const two = { scores, again: scores };
  expect((await compareOn(feeds, answering(two), answering(two), { classes: 3 })).classes.actual).toHaveLength(3);
  expect((await compareOn(feeds, answering(two), answering(two), { classes: 3, output: 'none' })).classes.actual).toHaveLength(0); // prettier-ignore
  expect((await compareOn(feeds, answering(two), answering(two))).classes.actual).toHaveLength(0);
});
