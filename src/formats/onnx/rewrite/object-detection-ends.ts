import { dataTypes } from '../model.ts';
import type { Model } from '../model.ts';
import { Adder, asInt, withRenamed } from './added.ts';
import { withSuppression } from './detection-ends.ts';
import { preparedPixels } from './pipeline-ends.ts';
import type { PictureEnds } from './pipeline-ends.ts';

/** Prefix of added values, which no file of ours has. */
const OWN = 'detector/';

/**
 * Columns of `logits` beside the classes. The pipeline takes the class with the largest logit of each query, if that is not the last column, and its
 * softmax as the score: what a score leaves is shared by so many columns that none of them is larger than a score of 0.01.
 */
const OTHERS = 100;

interface DetectorEnds extends PictureEnds {
  /** Grey level of the area beside a picture that is smaller than the model's input. */
  readonly padding: number;
  /** See `withSuppression`. */
  readonly suppression: { readonly minScore: number; readonly iou: number; readonly most: number };
}

/**
 * A detector for the pipeline `object-detection`: `pixel_values` [1, 3, height, width], 0 … 255 in RGB, of at most the model's size, which is put into the
 * middle of grey, to `logits` [1, n + 1, classes + 100] and `pred_boxes` [1, n + 1, 4] (centre and size as shares of the picture), after non-maximum
 * suppression. The last query finds nothing: a pipeline cannot read an answer without queries. The model answers with `boxes` and with logits as `scores`.
 */
export function forObjectDetection(model: Model, { suppression, padding, ...ends }: DetectorEnds): Model {
  const logits = `${OWN}scores`;
  // Nodes are named as their outputs, which added nodes have too.
  const inner = withRenamed(model.graph.nodes, new Map([['scores', logits]])).map((node) => ({
    ...node,
    name: node.name && `${OWN}model/${node.name}`,
  }));
  const sigmoid = new Adder(OWN);
  sigmoid.node('Sigmoid', [logits], 'scores');
  const probabilities = sigmoid.nodes.map((node) => ({ ...node, name: `${OWN}probabilities` }));
  const scored = { ...model, graph: { ...model.graph, nodes: [...inner, ...probabilities] } };
  const detector = withSuppression(scored, suppression);
  const classes = Number(model.graph.outputs.find(({ name }) => name === 'scores')!.dims!.at(-1));
  const [height, width] = ends.sampleShape as [number, number];

  const before = new Adder(OWN);
  const none = before.integers('none', [0]);
  const two = before.integers('two', [2]);
  const sides = before.node('Shape', ['pixel_values'], `${OWN}shape`);
  const own = before.node('Slice', [sides, two, before.integers('four', [4]), none], `${OWN}own-size`);
  const free = before.node('Sub', [before.integers('size', [height, width]), own], `${OWN}free`);
  const corner = before.node('Div', [free, two], `${OWN}corner`);
  const behind = before.node('Sub', [free, corner], `${OWN}behind`);
  const still = before.integers('still', [0, 0]);
  const pads = before.node('Concat', [still, corner, still, behind], `${OWN}pads`, { axis: asInt(0) });
  const padded = before.node('Pad', ['pixel_values', pads, before.floats('grey', [padding], [])], `${OWN}padded`);
  const prepared = preparedPixels(detector, ends, { before, pixels: padded });

  const after = new Adder(`${OWN}after-`);
  const found = { boxes: `${OWN}found-boxes`, scores: `${OWN}found-scores`, labels: `${OWN}found-labels` };
  const nodes = withRenamed(prepared, new Map(Object.entries(found)));
  const asFloats = (name: string, value: string): string =>
    after.node(
      'Gather',
      [
        after.node('Cast', [value], `${OWN}${name}-float`, { to: asInt(dataTypes.float32) }),
        after.integers(`${name}-order`, [1, 0, 1, 0]),
      ],
      OWN + name,
    );
  const inPixels = after.node(
    'Mul',
    [found.boxes, after.floats('sides', [width, height, width, height])],
    `${OWN}in-pixels`,
  );
  const moved = after.node('Sub', [inPixels, asFloats('moved-by', corner)], `${OWN}moved`);
  const shares = after.node('Div', [moved, asFloats('divided-by', own)], `${OWN}shares`);
  const within = after.node(
    'Clip',
    [shares, after.floats('least', [0], []), after.floats('most', [1], [])],
    `${OWN}within`,
  );
  const columns = (name: string, ...at: readonly number[]): string =>
    after.node('Gather', [within, after.integers(`${name}-at`, at)], OWN + name, { axis: asInt(1) });
  const [low, high] = [columns('low', 0, 1), columns('high', 2, 3)];
  const middle = after.node(
    'Mul',
    [after.node('Add', [low, high], `${OWN}sum`), after.floats('half', [0.5])],
    `${OWN}middle`,
  );
  const extent = after.node('Sub', [high, low], `${OWN}extent`);
  const centred = after.node('Concat', [middle, extent], `${OWN}centred`, { axis: asInt(1) });

  const asColumn = (name: string, value: string): string =>
    after.node('Unsqueeze', [value, after.integers(`${name}-axis`, [1])], OWN + name);
  const score = asColumn('score', found.scores);
  const rest = after.node('Sub', [after.floats('one', [1]), score], `${OWN}rest`);
  const each = after.node('Div', [rest, after.floats('others', [classes + OTHERS - 1])], `${OWN}each`);
  const label = after.node('Cast', [asColumn('label', found.labels)], `${OWN}label-long`, {
    to: asInt(dataTypes.int64),
  });
  const order = Array.from({ length: classes + OTHERS }, (_, i) => i);
  const isOwn = after.node('Equal', [label, after.integers('columns', order, [1, order.length])], `${OWN}is-own`);
  const odds = after.node(
    'Where',
    [isOwn, after.node('Log', [score], `${OWN}log-score`), after.node('Log', [each], `${OWN}log-each`)],
    `${OWN}odds`,
  );

  // A query that finds nothing, and the axis of the batch.
  const queries = (name: string, value: string, nothing: readonly number[]): void => {
    const all = after.node(
      'Concat',
      [value, after.floats(`${name}-nothing`, nothing, [1, nothing.length])],
      `${OWN}all-${name}`,
      { axis: asInt(0) },
    );
    after.node('Unsqueeze', [all, after.integers(`${name}-batch`, [0])], name);
  };
  queries(
    'logits',
    odds,
    order.map((column) => (column === order.length - 1 ? 0 : -1e4)),
  );
  queries('pred_boxes', centred, [0, 0, 0, 0]);

  const { graph, metadata } = detector;
  return {
    ...model,
    metadata: new Map([...metadata].filter(([key]) => key !== 'preprocessing' && key !== 'fields')),
    graph: {
      ...graph,
      inputs: [{ name: 'pixel_values', dtype: 'float32', dims: [1, 3, 'height', 'width'] }],
      outputs: [
        { name: 'logits', dtype: 'float32', dims: [1, 'queries', order.length] },
        { name: 'pred_boxes', dtype: 'float32', dims: [1, 'queries', 4] },
      ],
      nodes: [...before.nodes, ...nodes, ...after.nodes],
      initializers: [...before.initializers, ...graph.initializers, ...after.initializers],
    },
  };
}
