import type { Trimmed } from '../../graph/passes/inference/trim-filters.ts';
import type { Graph } from '../../graph/types.ts';
import type { Weights } from '../network.ts';
import type { StoredWeights } from './weights.ts';

interface Origin {
  readonly batchNorm: 'train' | 'frozen';
  readonly file: string;
  readonly graph: Graph;
  readonly weights: Weights;
  readonly isFrozen: (name: string) => boolean;
  readonly stored: StoredWeights;
  readonly filters: Trimmed['filters'];
  readonly split: readonly string[];
  readonly restored: readonly string[];
  readonly lost: readonly string[];
}

function doing(batchNorm: 'train' | 'frozen', norms: number): string {
  if (batchNorm === 'train') return norms === 1 ? 'is trained' : 'are trained';
  return norms === 1 ? 'stays as it is' : 'stay as they are';
}

function dropping(file: string, { nodes }: Graph): string[] {
  const found = nodes.filter(({ op }) => op === 'Dropout');
  const rates = [...new Set(found.map(({ attrs }) => Number((attrs.rate as number).toPrecision(3))))].join(', ');
  const many = found.length === 1 ? 'its dropout drops' : `its ${found.length} dropouts drop`;
  return found.length === 0 ? [] : [`${file}: ${many} ${rates} of the values in training`];
}

function listed(file: string, fact: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${file}: ${fact}: ${names.join(', ')}`];
}

function trimmedIn(file: string, filters: Trimmed['filters']): string[] {
  const all = filters.map(({ layer, from, to }) => `${layer} (${from.join('×')} to ${to.join('×')})`);
  return listed(file, 'rows and columns of filters that only ever meet padding are left out', all);
}

/** Notes on the initial weights of a file's network, and on which are trained, a sentence each. */
export function originOf({
  file,
  graph,
  weights,
  isFrozen,
  batchNorm,
  stored,
  filters,
  split,
  restored,
  lost,
}: Origin): string[] {
  const ofNorms = graph.nodes.filter(({ op }) => op === 'FusedBatchNorm');
  const norms = ofNorms.length;
  const isKept = (name: string): boolean =>
    batchNorm === 'frozen' && ofNorms.some(({ inputs }) => inputs.slice(1).includes(name));
  const frozen = [...weights.keys()].filter(isFrozen);
  const numbers = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  return [
    `the student begins from the ${weights.size} weights of ${file}, ${numbers} numbers`,
    ...(norms === 0
      ? []
      : [`${file}: its ${norms === 1 ? 'batch norm' : `${norms} batch norms`} ${doing(batchNorm, norms)}`]),
    ...listed(
      file,
      'stored as one with others of equal values, but trained each for itself',
      split.filter((one) => weights.has(one)),
    ),
    ...listed(file, 'biases of zeros, which the exporter left out, are trained', restored),
    ...listed(
      file,
      'parameters that the file has not, so that they are not trained (of two layers that read one value with equal weights the newer exporter keeps one, where the older one keeps both; a model may have stored numbers in place of a parameter, which `student.trainable` can name)',
      lost,
    ),
    ...dropping(file, graph),
    ...trimmedIn(file, filters),
    ...listed(file, 'frozen', frozen),
    ...listed(file, 'numbered by the exporter and trained, as they are gains and offsets of channels', stored.gains),
    ...listed(file, 'computed by the exporter from parameters, and trained in their place', stored.computed),
    ...listed(file, 'stored numbers that are not learned stay as they are', stored.fixed),
    ...listed(
      file,
      'numbers that the exporter computed stay as they are, and may have been learned, such as a table of relative positions or a gate: `student.trainable: [NAME]` trains them too',
      stored.perhaps,
    ),
    ...stored.shared.map(
      ({ name, by }) =>
        `${file}: ${name} is one weight of ${by.join(', ')}, and ${isKept(name) ? 'is not trained in any of them, as the batch norms stay as they are' : 'stays one'}`,
    ),
  ];
}
