import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { z } from 'zod';
import type { ModelHost } from '../host.ts';
import { shown } from '../../base/errors.ts';
import { jsonIn } from '../json.ts';
import type { ServerAddress } from '../observers.ts';
import { Refusal } from '../refusal.ts';
import { cardOf } from '../v1/card.ts';
import { descriptionOf, predict, similar } from '../v1/predict.ts';
import { isText } from '../v1/raw.ts';
import { modelConfig, modelMetadata, modelStatistics, serverMetadata } from '../v2/describe.ts';
import { changeSchema, indexSchema } from '../v2/schemas.ts';
import type { Right } from './access.ts';
import type { Call, Site } from './call.ts';
import { inferReply } from './infer.ts';
import { openApi } from './openapi.ts';
import { pageFile } from './page.ts';
import type { Reply } from './reply.ts';

/** True for paths that need no token: the health of the server, the page, which holds no data, and the metrics where they are open. */
export function isOpen({ openMetrics }: Pick<Site, 'openMetrics'>, path: readonly string[]): boolean {
  if (path.length === 1 && path[0] === 'metrics') return openMetrics;
  return isPage(path) || (path.length === 3 && path[0] === 'v2' && path[1] === 'health');
}

/** The address of an observer; undefined for others, and for the address of a model. */
export function addressOf({ host }: Pick<Site, 'host'>, path: readonly string[]): ServerAddress | undefined {
  const found = host.addresses.find((one) => one.path.join('/') === path.join('/'));
  return found !== undefined && host.has(path.at(-1)!) ? undefined : found;
}

/** The right that a request needs. */
export function rightTo([version, what, which]: readonly string[]): Right {
  return version === 'v2' && what === 'repository' && which === 'models' ? 'load' : 'read';
}

/** `Refusal` 404 for what is not there, 405 for what is asked in another way. */
export async function route(site: Site, call: Call): Promise<Reply> {
  const { path } = call;
  if (isPage(path)) return page(call);
  const own = addressOf(site, path);
  if (own !== undefined) {
    refuseQuery(call, []);
    return own.answer({ ...call, model: (name) => site.host.model(name) });
  }
  if (path[0] === 'v2') return v2(site, call, path.slice(1));
  if (path[0] === 'v1') return v1(site, call, path.slice(1));
  if (path[0] === 'openapi.json' && path.length === 1) return get(call, () => [openApi(site)]);
  if (path[0] === 'metrics' && path.length === 1) {
    allow(call, 'GET');
    const { text, type } = await site.metrics();
    const headers = { 'content-type': type, vary: 'Accept-Encoding' };
    const isZipped = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(String(call.request.headers['accept-encoding']));
    if (!isZipped) return { headers, body: text };
    return { headers: { ...headers, 'content-encoding': 'gzip' }, body: [await promisify(gzip)(text)] };
  }
  throw nothing(call);
}

function isPage([first]: readonly string[]): boolean {
  return first === undefined || first === 'app' || first === 'api';
}

async function page(call: Call): Promise<Reply> {
  allow(call, 'GET');
  const asset = await pageFile(call.path.join('/'));
  if (asset === undefined) throw nothing(call);
  const { headers, content } = asset;
  return { headers, body: typeof content === 'string' ? content : [content] };
}

async function v1({ host, isStrict }: Site, call: Call, path: readonly string[]): Promise<Reply> {
  refuseQuery(call, path.length === 1 && call.request.method === 'POST' ? ['top', 'score', 'encoding_format'] : []);
  if (path.length === 0) return get(call, () => ({ models: host.models.map(({ name }) => name) }));
  const [name, verb, ...more] = path;
  if (more.length > 0 || (verb !== undefined && verb !== 'card' && verb !== 'similar')) throw nothing(call);
  const model = host.model(name!);
  if (verb === 'card') {
    allow(call, 'GET');
    return { body: await cardOf(model) };
  }
  if (verb === 'similar') allow(call, 'POST');
  if (call.request.method !== 'POST') return get(call, () => descriptionOf(model));
  const given = call.query.get('top');
  if (given !== null && !/^[1-9]\d{0,8}$/.test(given))
    throw new Refusal(400, `top: expected a whole number > 0, received ${shown(given)}`);
  const top = given === null ? undefined : Number(given);
  const score = call.query.get('score');
  if (score !== null && !/^(0?\.\d+|0|1)$/.test(score))
    throw new Refusal(400, `score: expected a number from 0 to 1, received ${shown(score)}`);
  const encoding = call.query.get('encoding_format');
  if (encoding !== null && encoding !== 'float' && encoding !== 'base64')
    throw new Refusal(400, `encoding_format: expected float or base64, received ${shown(encoding)}`);
  const contentType = call.request.headers['content-type'] ?? '';
  const answer = verb === 'similar' ? similar : predict;
  const body = await call.body(isText(contentType) ? 'json' : 'binary');
  const said = {
    contentType,
    top,
    ...(score !== null && { score: Number(score) }),
    isStrict,
    isBase64: encoding === 'base64',
    body,
    client: call.client,
    held: call.held,
  };
  return { headers: { 'content-type': 'application/json' }, body: [await answer(host, model, said)] };
}

async function v2(site: Site, call: Call, path: readonly string[]): Promise<Reply> {
  const { host } = site;
  if (path.length === 0) return get(call, () => serverMetadata(site.version));
  if (path[0] === 'health' && path.length === 2) return health(host, call, path[1]!);
  refuseQuery(call, []);
  if (path[0] === 'repository') return repository(host, call, path.slice(1));
  if (path[0] !== 'models' || path.length < 2) throw nothing(call);
  if (path[1] === 'stats' && path.length === 2) {
    return get(call, () => ({ model_stats: host.models.map(modelStatistics) }));
  }
  const [, name] = path;
  const [version, verb, ...more] = path[2] === 'versions' ? path.slice(3) : [undefined, ...path.slice(2)];
  if (more.length > 0 || (path[2] === 'versions' && version === undefined)) throw nothing(call);
  const model = host.model(name!, version);
  switch (verb) {
    case undefined:
      return get(call, () => modelMetadata(model));
    case 'ready':
      return get(call, () => ({ name, ready: host.isReady }), host.isReady ? 200 : 503);
    case 'config':
      return get(call, () => modelConfig(model, { workers: host.pool.workers.length, device: site.device }));
    case 'stats':
      return get(call, () => ({ model_stats: [modelStatistics(model)] }));
    case 'infer':
      allow(call, 'POST');
      return inferReply(site, model, call);
    default:
      throw nothing(call);
  }
}

function health(host: ModelHost, call: Call, what: string): Reply {
  if (what === 'live') return get(call, () => ({ live: true }));
  if (what === 'ready') return get(call, () => ({ ready: host.isReady }), host.isReady ? 200 : 503);
  throw nothing(call);
}

async function repository(host: ModelHost, call: Call, path: readonly string[]): Promise<Reply> {
  allow(call, 'POST');
  const body = await call.body('command');
  const given = body.length === 0 ? {} : objectOf(body);
  if (path.length === 1 && path[0] === 'index') {
    const { ready } = checked(indexSchema, given);
    const rows = await host.index();
    return { body: ready === true ? rows.filter(({ state }) => state === 'READY') : rows };
  }
  const [models, name, verb, ...more] = path;
  if (models !== 'models' || name === undefined || more.length > 0) throw nothing(call);
  const parameters = Object.entries(checked(changeSchema, given).parameters ?? {}).filter(
    ([key]) => key !== 'unload_dependents',
  );
  if (parameters.length > 0) {
    throw new Refusal(
      400,
      `parameter ${parameters[0]![0]}: a model is loaded from its file, with the options of the server`,
    );
  }
  if (verb !== 'load' && verb !== 'unload') throw nothing(call);
  await asLongAsThere(call, (gone) => host[verb](name, gone));
  return { body: {} };
}

/** Does what ends when the client is gone. */
async function asLongAsThere(
  { request: { socket } }: Call,
  change: (gone: AbortSignal) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  const end = (): void => gone.abort();
  socket.once('close', end);
  // A connection has many requests.
  await change(gone.signal).finally(() => socket.off('close', end));
}

/** A body as its schema has it. `Refusal` for a key that is not read, and for a value of another type. */
function checked<T extends z.ZodObject>(schema: T, given: Readonly<Record<string, unknown>>): z.infer<T> {
  const known = Object.keys(schema.shape);
  const other = Object.keys(given).find((key) => !known.includes(key));
  if (other !== undefined) throw new Refusal(400, `unknown key ${shown(other)} in the body; ${readKeys(known)}`);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal(400, `the body is wrong at ${issue!.path.join('.')}: ${issue!.message}`);
}

/** `Refusal` for a key of the address that is not read, or given twice: the answer would be another one than was asked for. */
function refuseQuery({ query }: Call, known: readonly string[]): void {
  for (const key of query.keys()) {
    if (!known.includes(key))
      throw new Refusal(400, `unknown key ${shown(key)} behind the ? of the address; ${readKeys(known)}`);
    if (query.getAll(key).length > 1) throw new Refusal(400, `${key} is given twice behind the ? of the address`);
  }
}

function objectOf(body: Buffer): Record<string, unknown> {
  const wrong = (): string => 'the body is no JSON object';
  const value = jsonIn(body, wrong);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Refusal(400, wrong());
}

function get(call: Call, body: () => object, status = 200): Reply {
  allow(call, 'GET');
  return { status, body: body() };
}

function allow({ request }: Call, method: 'GET' | 'POST'): void {
  if (request.method === method || (method === 'GET' && request.method === 'HEAD')) return;
  throw new Refusal(405, `${request.method} is not allowed at this address, expected ${method}`);
}

function nothing({ path }: Call): Refusal {
  return new Refusal(404, `this server has no address /${path.join('/')}`);
}

/** Such as `top, score, encoding_format are read`. */
function readKeys(known: readonly string[]): string {
  return known.length === 0 ? 'none is read here' : `${known.join(', ')} ${known.length === 1 ? 'is' : 'are'} read`;
}
