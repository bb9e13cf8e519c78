import '../../browser.ts';
import { askJson, hasToken } from './ask.ts';
import { inOrder } from './card.ts';
import type { Card } from './card.ts';
import { cardElement } from './cards.ts';
import { document } from './dom.ts';
import { byId, make, say } from './make.ts';
import { showLive } from './live/live.ts';
import { showTry } from './try/try.ts';

/** The page of a server: its models, a place to try them, its metrics. */
async function open(): Promise<void> {
  let cards = await readCards();
  const { version } = await askJson<{ version: string }>('v2');
  const show = (): void => {
    say(byId('lead'), leadOf(cards));
    say(byId('sub'), `${cards.length} model${cards.length === 1 ? '' : 's'} at ${document.baseURI}`);
    byId('cards').replaceChildren(...cards.map(cardElement));
    if (cards.length > 0) showTry(cards);
    for (const id of ['try', 'live', 'models']) byId(id).hidden = cards.length === 0 && id !== 'live';
  };
  show();
  byId('foot').replaceChildren(
    `Limbeck ${version}. `,
    make('a', { href: 'api' }, 'API'),
    ...(hasToken() ? [] : [', ', make('a', { href: 'metrics' }, 'metrics for Prometheus')]),
    '. Nothing of this page is loaded from elsewhere.',
  );
  showLive(
    () => cards.map(({ name }) => name),
    (error) => tell(error),
  );
  // Models come and go while the page is open: a change of their files or names is shown.
  setInterval(() => {
    void (async () => {
      const next = await readCards().catch(() => cards);
      const key = (all: readonly Card[]): string => all.map(({ name, sha256 }) => `${name} ${sha256}`).join();
      if (key(next) === key(cards)) return;
      cards = next;
      show();
    })();
  }, 15_000);
}

async function readCards(): Promise<Card[]> {
  const { models } = await askJson<{ models: string[] }>('v1');
  return inOrder(await Promise.all(models.map((name) => askJson<Card>(`v1/${encodeURIComponent(name)}/card`))));
}

function leadOf(cards: readonly Card[]): string {
  const names = cards.map(({ name }) => name);
  if (names.length === 0) return 'No model is loaded';
  if (names.length > 3) return `${names.length} models answer here`;
  const last = names.at(-1)!;
  return names.length === 1 ? `${last} answers here` : `${names.slice(0, -1).join(', ')} and ${last} answer here`;
}

function tell(error: string | undefined): void {
  const state = byId('state');
  state.className = error === undefined ? 'state good' : 'state bad';
  say(state, error === undefined ? 'answering' : error);
}

open().catch((error: unknown) => {
  say(byId('lead'), 'The server cannot be asked');
  tell((error as Error).message);
});
