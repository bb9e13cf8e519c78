import type { Graph, Node, Shape } from '../../graph/types.ts';
import type { StreamBuild } from './build.ts';
import type { TimePlace } from './place.ts';
import { refuse } from './refusal.ts';
import type { Frames, Info } from './types.ts';
import { isFrames, looksAhead } from './types.ts';

/** Frames of a value that a node reads at each hop; `lag`: frames after them. */
export interface Reach {
  readonly value: string;
  readonly frames: (ofStride: (stride: number) => number) => number;
  readonly lag: number;
}

/** A node of the stream. Without `emit` it is copied. */
export interface Planned {
  readonly infos: readonly Info[];
  readonly reaches?: readonly Reach[];
  readonly emit?: (build: StreamBuild) => readonly string[];
  /** Earlier frames are replaced by zeros, or all the past counts. */
  readonly isUnlikeWindow?: boolean;
}

/** A node with frames among its operands. */
export interface Question {
  readonly node: Node;
  readonly graph: Graph;
  readonly infos: readonly Info[];
  /** Frames of the input in a window. */
  readonly window: number;
}

export type StreamRule = (question: Question) => Planned;

export const shapeOf = (graph: Graph, name: string): Shape => (name === '' ? [] : graph.types.get(name)!.shape);
export const outOf = ({ graph, node }: Question): Shape => shapeOf(graph, node.outputs[0]!);
export const first = ({ node, infos }: Question): Frames => {
  const [info] = infos;
  if (info === undefined || !isFrames(info)) return refuse(node, 'takes its weights from frames');
  return info;
};

/** The first operand, which looks ahead of nothing. */
export function past(question: Question): Frames {
  const info = first(question);
  if (info.ahead > 0) looksAhead(question.node, info);
  return info;
}

/** The first operand alone has frames. */
export function withStillRest(question: Question): Frames {
  const { infos, node } = question;
  if (infos.slice(1).some((info) => info !== 'still')) refuse(node, 'takes its weights from frames');
  return past(question);
}

/** Reads all frames of a window. */
export function overWindow(question: Question, info = past(question), at = 0): Planned {
  const { node } = question;
  const value = node.inputs[at]!;
  const reach: Reach = { value, frames: () => info.size, lag: 0 };
  return {
    infos: node.outputs.map(() => 'window'),
    reaches: [reach],
    emit: (build) => {
      const inputs = node.inputs.map((name, i) => (i === at ? build.take(node, name, info.size, 0) : build.name(name)));
      return build.copy(node, { inputs });
    },
    ...(info.isPadded && { isUnlikeWindow: true }),
  };
}

/** Passes frames on, each for itself. */
export function passed(question: Question, info: Frames, place: TimePlace, emit?: Planned['emit']): Planned {
  return { infos: question.node.outputs.map(() => ({ ...info, place })), ...(emit && { emit }) };
}
