const VOID = new Set(['meta', 'input', 'br', 'img', 'link']);

/** Tags that do not fit together, attributes without quotes, ids given twice; none in a sound page. */
export function faults(html: string): string[] {
  const found: string[] = [];
  const open: string[] = [];
  const bare = html.replace(/^<!doctype html>/, '').replace(/<style>[^]*?<\/style>/g, '');
  for (const [tag, end, name, attributes, selfClosing] of bare.matchAll(/<(\/?)([a-zA-Z][\w-]*)([^>]*?)(\/?)>/g)) {
    if (end === '/') {
      const last = open.pop();
      if (last !== name) found.push(`</${name}> closes <${last}>`);
    } else {
      if (!/^(\s+[\w:-]+(="[^"<]*")?)*\s*$/.test(attributes!)) found.push(`odd attributes: ${tag}`);
      if (selfClosing !== '/' && !VOID.has(name!)) open.push(name!);
    }
  }
  const text = bare.replace(/<\/?[a-zA-Z][^>]*>/g, '');
  if (/[<>]/.test(text)) found.push(`a bare angle bracket: ${/.{0,40}[<>].{0,40}/.exec(text)![0]}`);
  for (const [, entity] of text.matchAll(/&([^;\s]{0,8};?)/g)) {
    if (!/^(#\d+|amp|lt|gt|quot);$/.test(entity!)) found.push(`a bare &${entity}`);
  }
  const ids = [...bare.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1]!);
  for (const id of ids.filter((name, i) => ids.indexOf(name) < i)) found.push(`id ${id} twice`);
  return [...found, ...open.map((name) => `<${name}> is not closed`)];
}
