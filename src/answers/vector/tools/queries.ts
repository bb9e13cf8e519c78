import path from 'node:path';
import { shown, UserError } from '../../../base/errors.ts';
import { exists } from '../../../base/files.ts';
import { jsonObject } from '../../../data/readers/json-line.ts';
import { linesOf } from '../../../data/readers/source.ts';
import { isWord } from '../../../data/text/tokenizer/encode.ts';
import type { LoadedRecipe } from '../../../recipe/load.ts';
import { gradedRetrieval } from '../graded.ts';
import type { GradedRetrieval } from '../graded.ts';
import { refuseNoTexts, textVectors } from './text-vectors.ts';

export interface QueriesScore extends GradedRetrieval {
  readonly file: string;
  /** Queries with a relevant document; others are left out. */
  readonly queries: number;
  /** Documents that are searched. */
  readonly documents: number;
  /** Documents without text, which no search finds. */
  readonly withoutText: number;
}

/** Columns of a file of judgements. */
const HEADER = ['query-id', 'corpus-id', 'score'];

/**
 * Scores a model of vectors on queries whose relevant documents are known, in the files of BEIR (Thakur et al. 2021): `corpus.jsonl` (`_id`, `text` and, if there is
 * one, `title`, which is put before the text), `queries.jsonl` (`_id`, `text`), and `qrels/test.tsv` or `qrels.tsv`. Of documents with equal cosines the one whose id is
 * larger is nearer, as in trec_eval; a document without text is not searched, and missed where it is relevant. The vectors of all documents are held in memory.
 * `UserError` for data that are no texts, for broken files, an id twice, judgements of unknown ids, and without a relevant document.
 */
export async function scoreQueries(file: string, { recipe }: LoadedRecipe, folder: string): Promise<QueriesScore> {
  refuseNoTexts(recipe);
  const [corpus, queries] = ['corpus.jsonl', 'queries.jsonl'].map((name) => path.join(folder, name)) as [
    string,
    string,
  ];
  const [documentIds, queryIds] = [await idsOf(corpus, false), await idsOf(queries, true)];
  const inFolder = path.join(folder, 'qrels', 'test.tsv');
  const beside = path.join(folder, 'qrels.tsv');
  const qrels = !(await exists(inFolder)) && (await exists(beside)) ? beside : inFolder;
  const judged = await judgementsIn(qrels, queryIds, documentIds);
  const asked = [...judged].filter(([, grades]) => [...grades.values()].some((grade) => grade > 0));
  if (asked.length === 0)
    throw new UserError(
      `${qrels}: no query has a document with a score above 0`,
      'Give a document of a query a score above 0: without one there is no nDCG.',
    );
  const names: string[] = [];
  const nameOf = [...documentIds.keys()];
  const byName = (places: Int32Array): Int32Array => {
    const rows = Int32Array.from(places.keys()).sort((a, b) => (nameOf[places[a]!]! < nameOf[places[b]!]! ? 1 : -1));
    for (const row of rows) names.push(nameOf[places[row]!]!);
    return rows;
  };
  const files = { type: 'jsonl', train: queries };
  const [documents, questions] = await textVectors(file, recipe, [
    { dataset: { ...files, validation: corpus, title: 'title', missing: 'drop' }, column: 'text', rows: byName },
    {
      dataset: { ...files, validation: queries },
      column: 'text',
      rows: () => Int32Array.from(asked, ([id]) => queryIds.get(id)!),
    },
  ]);
  const grades = asked.map(([, of]) => of);
  const score = gradedRetrieval(documents!, names, questions!, grades);
  const withoutText = documentIds.size - names.length;
  return { file, queries: asked.length, documents: names.length, withoutText, ...score };
}

/** Places of the texts of a file by their ids, from 0; `isEach`: none of them may be empty. */
async function idsOf(file: string, isEach: boolean): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  let hasText = false;
  for await (const [line, where] of placedLines(file)) {
    const { _id: id, text, title } = jsonObject(line, where);
    if (typeof id !== 'string' || id === '') throw expected(`${where}: _id`, 'a text', id);
    if (ids.has(id)) throw expected(`${where}: _id`, 'an id that no other line has', id);
    if (typeof text !== 'string' || (isEach && !isWord(text))) throw expected(`${where}: text`, 'a text', text);
    if (title !== undefined && title !== null && typeof title !== 'string')
      throw expected(`${where}: title`, 'a text or none', title);
    ids.set(id, ids.size);
    hasText ||= isWord(text) || isWord(title);
  }
  if (!hasText) throw expected(file, 'at least one text', undefined);
  return ids;
}

/** Grades of the judged documents of each query, by ids. */
async function judgementsIn(
  file: string,
  queries: ReadonlyMap<string, number>,
  documents: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
  const judged = new Map<string, Map<string, number>>();
  let isHeader = true;
  for await (const [line, where] of placedLines(file)) {
    const cells = line.trimEnd().split('\t');
    const [query, document, score] = cells as [string, string, string];
    if (cells.length !== 3 || (isHeader && cells.join() !== HEADER.join()))
      throw expected(where, `${HEADER.join(', ')} with a tab between them`, line);
    if (!isHeader) {
      if (!queries.has(query)) throw expected(`${where}: query-id`, 'an _id of queries.jsonl', query);
      if (!documents.has(document)) throw expected(`${where}: corpus-id`, 'an _id of corpus.jsonl', document);
      if (!/^-?\d{1,9}$/.test(score)) throw expected(`${where}: score`, 'a whole number', score);
      const grades = judged.get(query) ?? new Map<string, number>();
      const grade = grades.get(document) ?? Number(score);
      if (grade !== Number(score)) throw expected(`${where}: score`, `${grade}, as in a line before it`, score);
      judged.set(query, grades.set(document, grade));
    }
    isHeader = false;
  }
  return judged;
}

/** The lines of a file that are not blank, with their places. */
async function* placedLines(file: string): AsyncGenerator<readonly [line: string, where: string]> {
  let number = 0;
  for await (const lines of linesOf(file))
    for (const line of lines) {
      number++;
      if (line.trim() !== '') yield [line, `${file}:${number}`];
    }
}

function expected(where: string, wanted: string, received: unknown): UserError {
  return new UserError(
    `${where}: expected ${wanted}, received ${shown(received)}`,
    'Write the folder in the layout of BEIR: docs/tasks.md.',
  );
}
