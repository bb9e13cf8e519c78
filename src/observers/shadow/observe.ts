import type { ModelHost } from '../../serve/host.ts';
import type { Observe, ServerObserver } from '../../serve/observers.ts';
import { Shadow } from './shadow.ts';
import type { ShadowOptions } from './shadow.ts';

declare module '../../serve/observers.ts' {
  interface ObserverSettings {
    /** A teacher that answers a sample of the requests too. */
    readonly shadow?: ShadowOptions | undefined;
  }
}

interface ShadowObserver extends ServerObserver {
  readonly shadow: Shadow | undefined;
}

export const observeServer: Observe<ShadowOptions> = (options, log, pool): ShadowObserver => {
  let shadow: Shadow | undefined;
  return {
    get shadow() {
      return shadow;
    },
    start: async (models) => {
      shadow = await Shadow.start(options, models, pool, log);
    },
    watches: ({ name }) => name === shadow?.model,
    onAnswer: (model, request, answer) => shadow!.offer(model, request, answer),
    close: async () => shadow?.close(),
  };
};

/** The shadow of a server; undefined if it has none. */
export function shadowOf(host: ModelHost): Shadow | undefined {
  return (host.observer('shadow') as ShadowObserver | undefined)?.shadow;
}
