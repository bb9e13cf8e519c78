import { byId, make } from './make.ts';

/** Kept in this variable alone: who loads the page again is asked again. */
let token: string | undefined;

/** Error with which the server refused a request. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Response of the server to a request with the token; where a token is wanted and none is known, or a wrong one, the user is asked for it.
 */
export async function ask(place: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const headers = { ...(init.headers as object), ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const response = await fetch(place, { ...init, headers }).catch(() => {
      throw new Refused(0, 'the server does not answer');
    });
    if (response.ok) return response;
    if (response.status !== 401) throw new Refused(response.status, await reasonOf(response));
    await askForToken(token === undefined ? undefined : 'The server does not know this token.');
  }
}

export async function askJson<T>(place: string, init?: RequestInit): Promise<T> {
  return (await (await ask(place, init)).json()) as T;
}

export function post<T>(place: string, body: Blob | string, type: string): Promise<T> {
  return askJson<T>(place, { method: 'POST', body, headers: { 'content-type': type } });
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return (JSON.parse(text) as { error?: string }).error ?? text;
  } catch {
    return text || `status ${response.status}`;
  }
}

/** True if a token is in use: then a plain link would be refused, because browsers send no token with one. */
export function hasToken(): boolean {
  return token !== undefined;
}

let asking: Promise<void> | undefined;

/** One form for all questions that wait. */
function askForToken(complaint: string | undefined): Promise<void> {
  return (asking ??= new Promise<void>((resolve) => {
    const field = make('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false' });
    const submit = (event: { preventDefault(): void }): void => {
      event.preventDefault();
      const given = field.value.trim();
      if (given === '') return;
      token = given;
      byId('gate').replaceChildren();
      asking = undefined;
      resolve();
    };
    const form = make(
      'form',
      { class: 'gate', submit },
      make('h2', {}, 'This server wants a token'),
      complaint === undefined ? undefined : make('p', { class: 'caution', role: 'alert' }, complaint),
      make('label', { for: 'token' }, 'One of the lines of its token file. It stays in the memory of this page.'),
      make('div', { class: 'row' }, field, make('button', { type: 'submit' }, 'Open')),
    );
    byId('gate').replaceChildren(form);
    field.focus();
  }));
}
