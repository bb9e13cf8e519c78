import { dataTypes } from '../model.ts';
import type { Model } from '../model.ts';
import { Adder, asInt, asInts, withRenamed } from './added.ts';

/** Prefix of added values, which no file of ours has. */
const OWN = 'detections/';

/** Outputs of the changed model: n boxes, the highest score first. */
const DETECTION_FIELDS = [
  { name: 'boxes', shape: [4] },
  { name: 'scores', shape: [] },
  { name: 'labels', shape: [] },
] as const;

/**
 * A model of one picture with the outputs `boxes` [n, 4], `scores` [n] and `labels` [n], int32 indexes of classes, after non-maximum suppression by
 * class, for one with `boxes` [batch, points, 4] (xmin, ymin, xmax, ymax) and `scores` [batch, points, classes], probabilities of at least `minScore`. As
 * `suppressed` of `src/answers/boxes/suppression.ts` orders them: by score, of equal ones the first point, then the first class. `iou` 1: none is suppressed.
 */
export function withSuppression(
  model: Model,
  { minScore, iou, most }: { readonly minScore: number; readonly iou: number; readonly most: number },
): Model {
  const { graph } = model;
  const [points, classes] = graph.outputs.find(({ name }) => name === 'scores')!.dims!.slice(1) as [number, number];
  const [boxes, scores] = [`${OWN}all-boxes`, `${OWN}all-scores`];
  const inner = withRenamed(
    graph.nodes,
    new Map([
      ['boxes', boxes],
      ['scores', scores],
    ]),
  );
  const added = new Adder(OWN);
  const rows = (name: string, from: string, at: string): string =>
    added.node('Gather', [from, at], name, { axis: asInt(0) });
  const flat = (name: string, from: string, ...shape: readonly number[]): string =>
    added.node('Reshape', [from, added.integers(`${name}-shape`, shape)], OWN + name);
  const flatScores = flat('flat-scores', scores, points * classes);
  const [places, best] = [`${OWN}places`, `${OWN}best`];
  // The operators keep scores above the threshold, `suppressed` keeps scores of at least 0.01. Both keep the same scores, because 0.01 as float32 lies below 0.01.
  const least = added.floats('min-score', [minScore]);
  const topOf = (values: string, size: string, outputs: readonly [string, string], largest: 0 | 1): void =>
    void added.nodes.push({
      op: 'TopK',
      domain: '',
      name: outputs[0],
      inputs: [values, size],
      outputs,
      attrs: new Map([
        ['axis', asInt(0)],
        ['largest', asInt(largest)],
        ['sorted', asInt(1)],
      ]),
    });
  const width = added.integers('classes', [classes], []);
  // Places in the scores [points · classes]; in their order, TopK chooses among equal scores.
  if (iou >= 1) {
    const indexes = added.node('NonZero', [added.node('Greater', [flatScores, least], `${OWN}is-sure`)], `${OWN}sure`);
    added.node('Reshape', [indexes, added.integers('flat-shape', [-1])], places);
  } else {
    const byClass = added.node('Transpose', [scores], `${OWN}by-class`, { perm: asInts(0, 2, 1) });
    const limits = [added.integers('most', [most]), added.floats('iou', [iou]), least];
    const found = added.node('NonMaxSuppression', [boxes, byClass, ...limits], `${OWN}found`);
    const column = (name: string, at: number): string =>
      added.node('Gather', [found, added.integers(`${name}-column`, [at], [])], OWN + name, { axis: asInt(1) });
    const first = added.node('Mul', [column('point', 2), width], `${OWN}first-of-point`);
    const unordered = added.node('Add', [first, column('class', 1)], `${OWN}unordered`);
    topOf(unordered, added.node('Shape', [unordered], `${OWN}found-count`), [places, `${OWN}by-place`], 0);
  }
  const count = added.node('Shape', [places], `${OWN}count`);
  const chosen = rows(`${OWN}chosen`, flatScores, places);
  topOf(chosen, added.node('Min', [count, added.integers('limit', [most])], `${OWN}kept`), ['scores', best], 1);
  const kept = rows(`${OWN}kept-places`, places, best);
  rows('boxes', flat('flat-boxes', boxes, points, 4), added.node('Div', [kept, width], `${OWN}points`));
  const labels = added.node('Mod', [kept, width], `${OWN}labels`);
  added.node('Cast', [labels], 'labels', { to: asInt(dataTypes.int32) });
  return {
    ...model,
    metadata: new Map([...model.metadata, ['fields', JSON.stringify(DETECTION_FIELDS)]]),
    graph: {
      ...graph,
      inputs: graph.inputs.map((input) => ({ ...input, dims: [1, ...(input.dims ?? []).slice(1)] })),
      outputs: DETECTION_FIELDS.map(({ name, shape }) => ({
        name,
        dtype: name === 'labels' ? ('int32' as const) : ('float32' as const),
        dims: ['n', ...shape],
      })),
      nodes: [...inner, ...added.nodes],
      initializers: [...graph.initializers, ...added.initializers],
    },
  };
}
