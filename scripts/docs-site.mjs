/**
 * `npm run docs:site -- [DIR] [--source URL]`: the documents as a folder of pages that any static host serves, `site/` unless it is named. Links to files that
 * are no pages lead to URL, a folder on the web with the sources, and are plain text without it. The pages stand in the order of
 * docs/README.md, have a search over all of them, and load nothing from elsewhere. Fails where a link leads nowhere.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Marked } from 'marked';

const ROOT = path.resolve(import.meta.dirname, '..');
const textOf = (file) => readFileSync(path.join(ROOT, file), 'utf8');
const filesIn = (folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true }).map((name) => `${folder}/${name}`);

/** Pages of the site: the documents, the figures beside them, and the recipes. */
export function pagesOf() {
  const bench = filesIn('bench').filter((name) => /^bench\/[\w-]+\.md$/.test(name));
  const docs = filesIn('docs').filter((name) => name.endsWith('.md'));
  return [...docs, ...bench, 'recipes/README.md', 'CONTRIBUTING.md'].sort();
}

/** Path of a page's HTML below the folder of the site. */
const htmlOf = (page) =>
  page === 'docs/README.md' ? 'index.html' : page.replace(/\.md$/, '.html').replace(/^docs\//, '');

/** Anchor of a heading, as GitHub makes it. */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** A page as HTML, with its title and the sections that the search looks at. `resolve` gives the address of a link. */
function rendered(text, resolve) {
  const marked = new Marked({ gfm: true });
  const seen = new Map();
  const sections = [];
  marked.use({
    renderer: {
      heading({ tokens, depth, text: raw }) {
        const plain = raw.replaceAll('`', '');
        const times = seen.get(anchorOf(plain)) ?? 0;
        seen.set(anchorOf(plain), times + 1);
        const id = times === 0 ? anchorOf(plain) : `${anchorOf(plain)}-${times}`;
        sections.push({ heading: plain, id, text: '' });
        return `<h${depth} id="${escaped(id)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const [to, text] = [resolve(href), this.parser.parseInline(tokens)];
        return to === undefined ? text : `<a href="${escaped(to)}">${text}</a>`;
      },
      image({ href, text: alt }) {
        return `<img src="${escaped(resolve(href))}" alt="${escaped(alt)}">`;
      },
      table(token) {
        const row = (cells, tag) =>
          `<tr>${cells.map((cell) => `<${tag}${cell.align ? ` style="text-align:${cell.align}"` : ''}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('')}</tr>`;
        return `<div class="table" tabindex="0"><table><thead>${row(token.header, 'th')}</thead><tbody>${token.rows.map((cells) => row(cells, 'td')).join('')}</tbody></table></div>\n`;
      },
    },
  });
  const html = marked.parse(text);
  const cuts = text.split(/^#+ .*$/m).slice(1);
  const found = sections.map((section, i) => ({
    ...section,
    text: (cuts[i] ?? '')
      .replaceAll(/[`*|#[\]()]+/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  }));
  return { html, sections: found };
}

const STYLE = `:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:#0b63c5}@media(prefers-color-scheme:dark){:root{--link:#7db4ff}}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,sans-serif}a{color:var(--link)}.frame{display:grid;grid-template-columns:17rem minmax(0,1fr);max-width:76rem;margin:auto}
nav{padding:1rem;border-right:1px solid var(--line);position:sticky;top:0;height:100vh;overflow:auto;font-size:.93rem}nav ul{list-style:none;margin:0 0 .8rem;padding:0}nav b{display:block;margin-top:.4rem}nav a{display:block;padding:.1rem 0;text-decoration:none}
nav a[aria-current]{font-weight:600;text-decoration:underline}main{padding:1rem 2rem 4rem;min-width:0}h1{line-height:1.2}h2{margin-top:2rem;border-bottom:1px solid var(--line)}
code{font-size:.9em;background:var(--soft);padding:.05em .25em;border-radius:3px;overflow-wrap:anywhere}pre{overflow:auto;padding:.8rem;background:var(--soft);border-radius:6px}pre code{background:none;padding:0;overflow-wrap:normal}
.table{overflow-x:auto}table{border-collapse:collapse;font-size:.93rem}th,td{border:1px solid var(--line);padding:.3rem .5rem;vertical-align:top;text-align:left}img{max-width:100%}
input{width:100%;padding:.4rem;font:inherit}#found{list-style:none;padding:0}#found li{margin:.4rem 0}#found small{display:block}summary{display:none}
@media(max-width:760px){.frame{display:block}nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line)}summary{display:list-item;padding:.3rem 0}td code{overflow-wrap:normal}main{padding:1rem}}`;

const SCRIPT = `const field=document.getElementById('search'),list=document.getElementById('found'),root=document.body.dataset.root;let index;
const wide=matchMedia('(min-width: 761px)'),menu=document.querySelector('nav details');const fit=()=>{menu.open=wide.matches};fit();wide.addEventListener('change',fit);
field.addEventListener('input',async()=>{index??=await import(root+'search.js').then(m=>m.default);const words=field.value.toLowerCase().split(/\\s+/).filter(w=>w.length>1);list.replaceChildren();if(words.length===0)return;
const hits=index.map(s=>{const h=(s.page+' '+s.heading).toLowerCase(),t=s.text.toLowerCase();let score=0;for(const w of words){const inHead=h.includes(w),n=t.split(w).length-1;if(!inHead&&n===0)return{score:0,s};score+=(inHead?8:0)+Math.min(n,5)}return{score,s}}).filter(h=>h.score>0).sort((a,b)=>b.score-a.score).slice(0,12);
if(hits.length===0){const li=document.createElement('li');li.textContent='Nothing found.';list.append(li)}
for(const{s}of hits){const li=document.createElement('li'),a=document.createElement('a'),small=document.createElement('small');a.href=root+s.address;a.textContent=s.page===s.heading?s.page:s.page+': '+s.heading;const at=Math.max(0,s.text.toLowerCase().indexOf(words[0])-40);small.textContent=s.text.slice(at,at+120);li.append(a,small);list.append(li)}});`;

/** The list of pages beside each page, from the tables and lists of docs/README.md. */
function menuOf(pages) {
  const groups = [];
  for (const line of textOf('docs/README.md').split('\n')) {
    const heading = /^## (.+)/.exec(line);
    if (heading) groups.push({ heading: heading[1], links: [] });
    for (const [, text, to] of line.matchAll(/\[([^\]]+)\]\(([^)#]+\.md)\)/g)) {
      const page = path.posix.normalize(path.posix.join('docs', to));
      if (pages.includes(page) && groups.length > 0) groups.at(-1).links.push({ text: text.replaceAll('`', ''), page });
    }
  }
  return groups;
}

/** Writes the site; the links that lead nowhere. */
export function writeSite(folder, source) {
  const pages = pagesOf();
  const broken = [];
  const search = [];
  const menu = menuOf(pages);
  rmSync(folder, { recursive: true, force: true });
  for (const page of pages) {
    const own = htmlOf(page);
    const root = path.posix.relative(path.posix.dirname(own), '.') || '.';
    const resolve = (href) => {
      if (/^[a-z]+:/.test(href)) return href;
      const [file, anchor] = href.split('#');
      const target = file === '' ? page : path.posix.normalize(path.posix.join(path.posix.dirname(page), file));
      if (!existsSync(path.join(ROOT, target))) broken.push(`${page}: ${href}`);
      const behind = anchor === undefined ? '' : `#${anchor}`;
      if (pages.includes(target)) return `${path.posix.join(root, htmlOf(target))}${behind}`;
      if (/^docs\/[\w.-]+$/.test(target)) return `${path.posix.join(root, path.posix.basename(target))}`;
      return source === undefined ? undefined : `${source}/${target}${behind}`;
    };
    const { html, sections } = rendered(textOf(page), resolve);
    const title = sections[0]?.heading ?? page;
    for (const section of sections)
      search.push({
        page: title,
        heading: section.heading,
        address: `${own}#${section.id}`,
        text: section.text.slice(0, 4000),
      });
    const links = menu.map(
      ({ heading, links: own_ }) =>
        `<li><b>${escaped(heading)}</b>${own_.map(({ text, page: to }) => `<a href="${path.posix.join(root, htmlOf(to))}"${to === page ? ' aria-current="page"' : ''}>${escaped(text)}</a>`).join('')}</li>`,
    );
    const body = `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"><title>${escaped(title)} · Limbeck</title><link rel="icon" href="data:,"><link rel="stylesheet" href="${root}/style.css"></head>
<body data-root="${root}/"><div class="frame"><nav aria-label="Pages"><a href="${root}/index.html"><b>Limbeck</b></a><label for="search">Search</label><input id="search" type="search"><ul id="found" aria-live="polite"></ul><details open><summary>All pages</summary><ul>${links.join('')}</ul></details></nav><main>${html}</main></div><script type="module" src="${root}/site.js"></script></body></html>\n`;
    mkdirSync(path.dirname(path.join(folder, own)), { recursive: true });
    writeFileSync(path.join(folder, own), body);
  }
  for (const file of filesIn('docs').filter((name) => /^docs\/[\w.-]+\.(png|json|proto|yml|service)$/.test(name)))
    cpSync(path.join(ROOT, file), path.join(folder, path.basename(file)));
  writeFileSync(path.join(folder, 'style.css'), STYLE);
  writeFileSync(path.join(folder, 'site.js'), SCRIPT);
  writeFileSync(path.join(folder, 'search.js'), `export default ${JSON.stringify(search)};\n`);
  return { pages: pages.length, broken };
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({ options: { source: { type: 'string' } }, allowPositionals: true });
  const folder = path.resolve(positionals[0] ?? 'site');
  const { pages, broken } = writeSite(folder, values.source);
  for (const link of broken) console.error(`leads nowhere: ${link}`);
  console.log(`${pages} pages in ${folder}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
