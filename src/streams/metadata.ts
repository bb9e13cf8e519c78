import { UserError } from '../base/errors.ts';
import { parsedJson } from '../base/json.ts';
import { nextName } from '../formats/onnx/lower.ts';
import type { Shape } from '../graph/types.ts';
import type { Stream } from './graph/stream.ts';

/** Past of a stream that its file keeps from a hop to the next one, zeros before the first hop. */
interface StatedPast {
  /** ONNX: an input. TFLite: a variable inside the file. */
  readonly name: string;
  /** ONNX: the output that is fed to it at the next hop. */
  readonly next?: string;
  readonly shape: Shape;
}

/** Metadata entry `stream` of a file. */
export interface StatedStream {
  readonly input: string;
  /** Axis of time of the input. */
  readonly axis: number;
  /** Frames that the file takes at a time. */
  readonly hop: number;
  /** Frames of the window that the model was trained on. */
  readonly window: number;
  /** Number of the first hop, from 1 on, whose answer counts: before it the past is not filled. */
  readonly first: number;
  /** Frames that an answer depends on: those of the window that ends with the hop, or all since the first hop. */
  readonly answers: 'window' | 'all';
  /** Frames of outputs that have an answer for each frame. */
  readonly frames?: Readonly<Record<string, number>>;
  readonly past: readonly StatedPast[];
}

export function statedStream(stream: Stream, format: 'onnx' | 'tflite'): StatedStream {
  const { input, axis, hop, window, isWindowed, perFrame, graph } = stream;
  const past = [...graph.state].map(([name, { shape }]): StatedPast => {
    if (format === 'onnx') return { name, next: nextName(name), shape };
    return { name, shape: shape.map((size) => (typeof size === 'number' ? size : 1)) };
  });
  const frames = [...perFrame].map(([name, one]) => [name, one.frames] as const);
  return {
    input,
    axis,
    hop,
    window,
    first: isWindowed || perFrame.size === 0 ? Math.ceil(window / hop) : 1,
    answers: isWindowed ? 'window' : 'all',
    ...(frames.length > 0 && { frames: Object.fromEntries(frames) }),
    past,
  };
}

/** Metadata of a file of windows with the shape of a hop in place of a window's. `UserError` for a normalization that differs from frame to frame. */
export function withHop(
  metadata: ReadonlyMap<string, string>,
  { hop, window }: Pick<Stream, 'hop' | 'window'>,
): Map<string, string> {
  const stated = objectIn(metadata.get('preprocessing'));
  const shape = stated?.['shape'];
  if (!Array.isArray(shape) || !shape.includes(window)) return new Map(metadata);
  const time = shape.indexOf(window);
  const own = { ...stated, shape: shape.map((size: unknown, i) => (i === time ? hop : size)) };
  const isLast = time === shape.length - 1;
  const ofHop = (values: unknown): unknown => {
    if (!isLast || !Array.isArray(values) || values.length !== window) return values;
    if (values.every((value) => value === values[0])) return values.slice(0, hop);
    throw new UserError(
      'no stream: the normalization of its input differs from frame to frame of a window',
      'Train the model on frames that are all normalized alike.',
    );
  };
  const changed = { ...own, mean: ofHop(stated?.['mean']), std: ofHop(stated?.['std']) };
  return new Map([...metadata, ['preprocessing', JSON.stringify(changed)]]);
}

function objectIn(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = parsedJson(text ?? 'null');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
