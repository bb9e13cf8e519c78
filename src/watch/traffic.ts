import type { Traffic } from '../base/events.ts';

/** Bytes moved since `before`; none if the engine does not count or was not called. */
export function trafficSince(before: Traffic | undefined, now: Traffic | undefined): { readonly traffic?: Traffic } {
  if (before === undefined || now === undefined || now.calls === before.calls) return {};
  return {
    traffic: {
      calls: now.calls - before.calls,
      stateMoves: now.stateMoves - before.stateMoves,
      stateBytes: now.stateBytes - before.stateBytes,
      dataBytes: now.dataBytes - before.dataBytes,
    },
  };
}

/** Text such as `state moved 12 times (2.1 MB) in 900 calls, data 30.5 MB`. */
export function trafficText({ calls, stateMoves, stateBytes, dataBytes }: Traffic): string {
  const times = stateMoves === 1 ? 'once' : `${stateMoves} times`;
  return `state moved ${times} (${megabytes(stateBytes)}) in ${calls} calls, data ${megabytes(dataBytes)}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
