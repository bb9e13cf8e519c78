import { staticSize } from '../graph/shapes.ts';
import type { Graph, TensorType } from '../graph/types.ts';
import type { Traffic } from '../base/events.ts';
import { allocate } from './onnxruntime/session.ts';

/** Bytes that one call moves. */
export type CallTraffic = Omit<Traffic, 'calls'>;

/** Counts the bytes that are copied between this process' memory and the device. */
export class TrafficMeter {
  #traffic: Traffic = { calls: 0, stateMoves: 0, stateBytes: 0, dataBytes: 0 };

  /** The present counts, in an immutable object. */
  get traffic(): Traffic {
    return this.#traffic;
  }

  /** Counts a call of a step. */
  called({ dataBytes, stateBytes, stateMoves }: CallTraffic): void {
    const before = this.#traffic;
    this.#traffic = {
      calls: before.calls + 1,
      stateMoves: before.stateMoves + stateMoves,
      stateBytes: before.stateBytes + stateBytes,
      dataBytes: before.dataBytes + dataBytes,
    };
  }

  /** Counts state that was copied outside of a call. */
  moved(bytes: number): void {
    const { stateMoves, stateBytes } = this.#traffic;
    this.#traffic = { ...this.#traffic, stateMoves: stateMoves + 1, stateBytes: stateBytes + bytes };
  }
}

export function bytesIn({ dtype, shape }: TensorType): number {
  return staticSize(shape) * allocate(dtype, 1).BYTES_PER_ELEMENT;
}

/** Bytes that a call of the graph moves; includes the state unless it stays on the device. */
export function trafficOf({ inputs, state, outputs, updates, types }: Graph, stays: boolean): CallTraffic {
  const bytesOf = (all: Iterable<TensorType>): number => [...all].reduce((sum, type) => sum + bytesIn(type), 0);
  const results = [...outputs.values()].map((value) => types.get(value)!);
  const written = [...updates.keys()].map((name) => state.get(name)!);
  return {
    dataBytes: bytesOf(inputs.values()) + bytesOf(results),
    stateBytes: stays ? 0 : bytesOf(state.values()) + bytesOf(written),
    stateMoves: stays ? 0 : Number(state.size > 0) + Number(updates.size > 0),
  };
}
