import { channelTable } from '../../tables/channels.ts';
import { number } from '../../format.ts';
import type { Report } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { list, table } from '../tables.ts';

/** Channels of each layer after each step that removed some, and why others keep all of theirs. */
export function channelsSection({ channels = [] }: Report): Content {
  if (channels.length === 0) return '';
  const { models, rows, left } = channelTable(channels);
  const body = rows.map(({ layers, counts }) => {
    const cells = counts.map(
      (count, i) => markup`<td>${i > 0 && count === counts[i - 1] ? 'as before' : number(count)}</td>`,
    );
    return markup`<tr><th scope="row">${layers.join(', ')}</th>${cells}</tr>`;
  });
  const stay = left.map(({ what, why }) => `${what}: ${why}`);
  return markup`<section id="channels"><h2>Channels</h2><p>Channels of each layer after each step that removed some.
      Layers that make the same channels lose them together.</p>${table('Channels', ['layers', 'before', ...models], body)}
      ${stay.length === 0 ? '' : markup`<h3>Layers that keep all channels</h3>${list(stay)}`}
      </section>`;
}
