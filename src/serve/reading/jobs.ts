import { parseMessage } from '../grpc/parse.ts';
import { samplesOf, sentencesIn } from '../v1/raw.ts';
import { parseRequest } from '../v2/request.ts';
import type { AskedModel } from '../model.ts';

interface RequestJob {
  readonly body: Uint8Array;
  readonly headerLength: number | undefined;
  readonly model: AskedModel;
}

/** All reading of bodies that takes time: what goes in and comes out is plain data, and the bytes are `body`. */
export const jobs = {
  request: ({ body, headerLength, model }: RequestJob) => parseRequest(body, headerLength, model),
  message: parseMessage,
  /** Samples of JSON without texts. */
  numbers: samplesOf,
  samples: samplesOf,
  sentences: sentencesIn,
};

export type Jobs = typeof jobs;
export type Given<K extends keyof Jobs> = Parameters<Jobs[K]>[0];
export type Found<K extends keyof Jobs> = Awaited<ReturnType<Jobs[K]>>;
