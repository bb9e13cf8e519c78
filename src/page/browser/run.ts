import type { Told } from '../run/log.ts';
import { askJson } from './ask.ts';
import { document } from './dom.ts';
import { byId, make, say } from './make.ts';
import { runView } from './run/show.ts';
import { addTold, emptyState } from './run/state.ts';

const EVERY_MS = 1000;

/** Id of this page, by which the run knows that it is open and does not end before the page has the report. */
const VIEWER = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join(
  '',
);

/** The page of a run at work. After the end of the run it keeps its content, as the server ends with the run. */
async function follow(): Promise<void> {
  const state = emptyState();
  const view = runView();
  let next = 0;
  let missed = 0;
  const isOver = (): boolean => state.end !== undefined;
  while (!isOver()) {
    try {
      const told = await askJson<Told>(`events.json?since=${next}&viewer=${VIEWER}`);
      next = told.next;
      missed = 0;
      addTold(state, told);
      const status = told.end?.status ?? 'running';
      tell(status, status !== 'stopped');
      say(byId('lead'), state.name ?? 'Waiting for the run …');
      say(byId('sub'), state.folder ?? '');
      document.title = `${state.name ?? 'run'}: ${status}`;
      view.update(state);
    } catch {
      // A step on a busy machine can take longer than a question waits.
      // oxlint-disable-next-line no-useless-assignment -- the next turn reads it
      if (++missed > 3) tell('the run does not answer: its process is busy or gone', false);
    }
    if (!isOver()) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  if (state.end?.status === 'finished') showReport(state.folder ?? '');
}

function showReport(folder: string): void {
  const frame = make('iframe', { src: `report.html?viewer=${VIEWER}`, title: 'Report of the run' });
  byId('report-body').replaceChildren(
    make(
      'p',
      {},
      `It is in the folder of the run too: ${folder}/report.html. This page stays as it is until it is loaded again.`,
    ),
    frame,
  );
  byId('report').hidden = false;
}

function tell(text: string, isWell: boolean): void {
  byId('state').className = isWell ? 'state good' : 'state bad';
  say(byId('state'), text);
}

void follow();
