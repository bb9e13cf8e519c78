import { writeReply } from '../grpc/answer.ts';
import { parseMessage } from '../grpc/parse.ts';
import { readInputs, writePredictions, writeSimilarities } from '../v1/jobs.ts';
import { encodeAnswer } from '../v2/answer.ts';
import { parseRequest } from '../v2/request.ts';
import type { ParsedRequest } from '../v2/request.ts';
import type { WireTensor } from '../types.ts';
import type { ReadingModel } from './model.ts';

interface RequestJob {
  readonly body: Uint8Array;
  readonly headerLength: number | undefined;
}

interface AnswerJob {
  readonly parsed: Pick<ParsedRequest, 'id' | 'wanted' | 'allBinary'>;
  readonly outputs: readonly WireTensor[];
}

/** All reading of bodies and writing of answers that takes time. What goes in and comes out is plain data. */
const jobs = {
  request: (model: ReadingModel, { body, headerLength }: RequestJob) => parseRequest(body, headerLength, model),
  message: (model: ReadingModel, body: Uint8Array) => parseMessage(body, model),
  inputs: readInputs,
  predictions: writePredictions,
  similarities: writeSimilarities,
  answer: (model: ReadingModel, { parsed, outputs }: AnswerJob) => encodeAnswer(model, parsed, outputs),
  reply: writeReply,
};

type Jobs = typeof jobs;
export type JobKind = keyof Jobs;
export type Given<K extends JobKind> = Parameters<Jobs[K]>[1];
export type Found<K extends JobKind> = Awaited<ReturnType<Jobs[K]>>;

/** Does one job, wherever it is to be done. */
export function done<K extends JobKind>(kind: K, model: ReadingModel, given: Given<K>): Found<K> | Promise<Found<K>> {
  return (jobs[kind] as (of: ReadingModel, value: Given<K>) => Found<K> | Promise<Found<K>>)(model, given);
}
