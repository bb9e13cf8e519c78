import { shown } from '../../base/errors.ts';
import type { TokenizerJson } from './tokenizer/tokenizer-json.ts';

type Json = Readonly<Record<string, unknown>>;

const LARGEST_ID = 2 ** 31 - 2;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNone = (value: unknown): boolean => value === null || value === undefined;
const isText = (value: unknown): boolean => typeof value === 'string';
const isId = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LARGEST_ID;
const isPair = (value: unknown, first: (one: unknown) => boolean, second: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length === 2 && first(value[0]) && second(value[1]);

/** Checks the types in a tokenizer.json that the tokenizers rely on; an Error names the wrong part. */
export function checkedTokenizer(json: unknown): TokenizerJson {
  if (!isObject(json) || !isObject(json['model'])) throw new Error('it has no `model`');
  const { added_tokens: added, model, padding } = json;
  each(
    'added_tokens',
    added,
    'an id and a content',
    (token) => isObject(token) && isId(token['id']) && isText(token['content']),
  );
  for (const key of ['normalizer', 'pre_tokenizer', 'post_processor']) checkComponent(key, json[key]);
  checkModel(model);
  if (!isNone(padding) && !(isObject(padding) && (isNone(padding['pad_id']) || isId(padding['pad_id']))))
    throw expected('padding', 'a pad_id', padding);
  return json as unknown as TokenizerJson;
}

function checkModel(model: Json): void {
  const { type, vocab, merges } = model;
  if (!isNone(type) && !isText(type)) throw expected('model.type', 'a name', type);
  const isToken = (value: unknown): boolean => isPair(value, isText, Number.isFinite);
  const isMerge = (value: unknown): boolean =>
    isPair(value, isText, isText) || (typeof value === 'string' && value.split(' ').length === 2);
  if (type === 'Unigram' || Array.isArray(vocab)) each('model.vocab', vocab ?? {}, 'a token and its score', isToken);
  else if (!isObject(vocab)) throw expected('model.vocab', 'tokens and their ids', vocab);
  else
    for (const [token, id] of Object.entries(vocab))
      if (!isId(id)) throw expected(`model.vocab ${shown(token)}`, 'an id', id);
  if (type === 'BPE' || !isNone(merges)) each('model.merges', merges ?? {}, 'two tokens', isMerge);
  if (
    Array.isArray(vocab) &&
    !isNone(model['unk_id']) &&
    !(isId(model['unk_id']) && Number(model['unk_id']) < vocab.length)
  )
    throw expected('model.unk_id', 'an id of the vocabulary', model['unk_id']);
  for (const key of ['unk_token', 'continuing_subword_prefix', 'end_of_word_suffix'])
    if (!isNone(model[key]) && !isText(model[key])) throw expected(`model.${key}`, 'a text', model[key]);
}

/** Checks a component, the components of a Sequence, and the template of a post-processor. */
function checkComponent(where: string, part: unknown): void {
  if (isNone(part)) return;
  if (!isObject(part) || !isText(part['type'])) throw expected(where, 'a component with a type', part);
  const { type } = part;
  if (type === 'Sequence') {
    const key = { normalizer: 'normalizers', pre_tokenizer: 'pretokenizers', post_processor: 'processors' }[
      where.split('.')[0]!
    ]!;
    if (!Array.isArray(part[key])) throw expected(`${where}.${key}`, 'a list', part[key]);
    for (const inner of part[key]) checkComponent(`${where.split('.')[0]}.${key}`, inner);
  }
  if (type === 'BertProcessing' || type === 'RobertaProcessing')
    for (const key of ['cls', 'sep'])
      if (!isPair(part[key], isText, isId)) throw expected(`${where}.${key}`, 'a token and its id', part[key]);
  if (type === 'TemplateProcessing') checkTemplate(where, part);
  if (
    (type === 'Replace' || type === 'Split') &&
    !(isObject(part['pattern']) && Object.values(part['pattern']).every(isText))
  )
    throw expected(`${where}.pattern`, 'a String or a Regex', part['pattern']);
  if (type === 'Precompiled' && !isNone(part['precompiled_charsmap']) && !isText(part['precompiled_charsmap']))
    throw expected(`${where}.precompiled_charsmap`, 'a text', part['precompiled_charsmap']);
}

function checkTemplate(where: string, { special_tokens: special, single, pair }: Json): void {
  const hasIds = (token: unknown): boolean =>
    isObject(token) && Array.isArray(token['ids']) && token['ids'].every(isId);
  if (!isObject(special) || !Object.values(special).every(hasIds))
    throw expected(`${where}.special_tokens`, 'tokens with their ids', special);
  const isPiece =
    (texts: readonly unknown[]) =>
    (piece: unknown): boolean => {
      if (!isObject(piece)) return false;
      const { SpecialToken: token, Sequence: sequence } = piece;
      const found =
        isObject(sequence) && texts.includes(sequence['id']) ? sequence : isNone(sequence) ? token : undefined;
      return isObject(found) && isText(found['id']) && isId(found['type_id']);
    };
  each(`${where}.single`, single ?? {}, 'a SpecialToken or the Sequence A', isPiece(['A']));
  each(`${where}.pair`, pair ?? {}, 'a SpecialToken or a Sequence A or B', isPiece(['A', 'B']));
}

function each(where: string, list: unknown, what: string, isRight: (one: unknown) => boolean): void {
  if (isNone(list)) return;
  if (!Array.isArray(list)) throw expected(where, 'a list', list);
  const wrong = (list as readonly unknown[]).findIndex((one) => !isRight(one));
  if (wrong !== -1) throw expected(`${where}[${wrong}]`, what, list[wrong]);
}

function expected(where: string, what: string, received: unknown): Error {
  return new Error(`${where}: expected ${what}, received ${shown(received)}`);
}
