import type { Component } from './normalizers.ts';

/** Part of a sample: a special token, or the first or second text; `type`: its token type id. */
type TemplatePart = { readonly id: number; readonly type: number } | { readonly text: 0 | 1; readonly type: number };

export interface Templates {
  readonly single: readonly TemplatePart[];
  readonly pair: readonly TemplatePart[];
}

/** Texts without special tokens. */
export const BARE: Templates = {
  single: [{ text: 0, type: 0 }],
  pair: [
    { text: 0, type: 0 },
    { text: 1, type: 1 },
  ],
};

type Ends = readonly [token: string, id: number];

/** A text between a start and an end token. */
function single({ cls, sep }: Component): { readonly single: readonly TemplatePart[]; readonly end: TemplatePart } {
  const end = { id: (sep as Ends)[1], type: 0 };
  return { single: [{ id: (cls as Ends)[1], type: 0 }, { text: 0, type: 0 }, end], end };
}

function bert(component: Component): Templates {
  const { single: first, end } = single(component);
  return { single: first, pair: [...first, { text: 1, type: 1 }, { ...end, type: 1 }] };
}

/** RoBERTa has two separators between texts and no token types. */
function roberta(component: Component): Templates {
  const { single: first, end } = single(component);
  return { single: first, pair: [...first, end, { text: 1, type: 0 }, end] };
}

interface Piece {
  readonly SpecialToken?: { readonly id: string; readonly type_id: number };
  readonly Sequence?: { readonly id: 'A' | 'B'; readonly type_id: number };
}

function written(component: Component): Templates {
  const special = component['special_tokens'] as Readonly<Record<string, { readonly ids: readonly number[] }>>;
  const parts = (pieces: unknown): TemplatePart[] =>
    (pieces as readonly Piece[]).flatMap(({ SpecialToken: token, Sequence: sequence }): TemplatePart[] => {
      if (sequence !== undefined) return [{ text: sequence.id === 'A' ? 0 : 1, type: sequence.type_id }];
      const ids = special[token!.id]?.ids;
      if (ids === undefined) throw new Error(`its template names ${token!.id}, which is not among its special tokens`);
      return ids.map((id) => ({ id, type: token!.type_id }));
    });
  return { single: parts(component['single']), pair: parts(component['pair']) };
}

/** Template from `post_processor` of a tokenizer.json. */
export function templatesOf(component: Component | null | undefined): Templates {
  if (component === null || component === undefined || component.type === 'ByteLevel') return BARE;
  if (component.type === 'BertProcessing') return bert(component);
  if (component.type === 'RobertaProcessing') return roberta(component);
  if (component.type === 'TemplateProcessing') return written(component);
  if (component.type === 'Sequence') {
    const parts = (component['processors'] as Component[]).filter(({ type }) => type !== 'ByteLevel');
    if (parts.length <= 1) return templatesOf(parts[0]);
    throw new Error(`a post-processor of ${parts.map(({ type }) => type).join(' and ')} is not supported`);
  }
  throw new Error(`the post-processor ${component.type} is not supported`);
}
