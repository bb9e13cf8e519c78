import { ANSWER_FILE_HEAD, answerFileRows } from '../../tables/answer-files.ts';
import { STREAMS_HEAD, streamRows } from '../../tables/streams.ts';
import type { Report } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { table, textCells } from '../tables.ts';

/** Section on files that answer with classes or probabilities, where the recipe asked for them. */
export function answerFilesSection({ models }: Report): Content {
  const rows = answerFileRows(models).map(
    ([file, ...cells]) => markup`<tr><th scope="row">${file!}</th>${textCells(cells)}</tr>`,
  );
  if (rows.length === 0) return '';
  const text =
    'Each beside the file with the logits that its answers are made of; agreement is the share of classes, labels or boxes that both give alike.';
  return markup`<section id="answers"><h2>Files with other answers</h2><p>${text}</p>${table('Files with other answers', ANSWER_FILE_HEAD, rows)}</section>`;
}

/** Section on streams, where the recipe asked for them. */
export function streamsSection({ models }: Report): Content {
  const rows = streamRows(models).map(
    ([file, ...cells]) => markup`<tr><th scope="row">${file!}</th>${textCells(cells)}</tr>`,
  );
  if (rows.length === 0) return '';
  const text =
    'Each takes a hop at a time and keeps its past; agreement is the share of windows, fed hop by hop, with the class of the float file, and its signal to noise.';
  return markup`<section id="streams"><h2>Streams</h2><p>${text}</p>${table('Streams', STREAMS_HEAD, rows)}</section>`;
}
