/** The pages without their data: their scripts ask for the data, with the token where the server wants one. */

export function serverHtml(): string {
  return pageHtml({
    title: 'Limbeck: models',
    script: 'serve',
    lead: 'Asking the server …',
    nav: [
      ['#try', 'Try it'],
      ['#live', 'Live'],
      ['#models', 'Models'],
      ['api', 'API'],
    ],
    main: `<section id="try" hidden><h2>Try it</h2><div id="try-body"></div></section>
<section id="live" hidden><h2>Live</h2><p>From the server’s own metrics, asked every two seconds while this page is seen.</p><div id="live-body"></div></section>
<section id="models" hidden><h2>Models</h2><div id="cards" class="cards"></div></section>`,
  });
}

export function apiHtml(): string {
  return pageHtml({
    title: 'Limbeck: API',
    script: 'api',
    lead: 'What this server can be asked',
    nav: [['.', 'Models']],
    main: '<div id="api"></div>',
  });
}

export function runHtml(): string {
  return pageHtml({
    title: 'Limbeck: run',
    script: 'run',
    lead: 'Waiting for the run …',
    nav: [],
    main: `<div id="now"></div>
<section id="report" hidden><h2>Report</h2><div id="report-body"></div></section>
<section id="curves" hidden><h2>Learning</h2><div id="curves-body"></div></section>
<section id="stages" hidden><h2>Stages</h2><div id="stages-body"></div></section>
<section id="told" hidden><h2>Messages</h2><ul id="messages" class="log"></ul></section>`,
  });
}

interface Parts {
  readonly title: string;
  readonly script: string;
  readonly lead: string;
  readonly nav: readonly (readonly [href: string, text: string])[];
  readonly main: string;
}

function pageHtml({ title, script, lead, nav, main }: Parts): string {
  const links = nav.map(([href, text]) => `<li><a href="${href}">${text}</a></li>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title>
<link rel="icon" href="app/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="app/style.css">
<script type="module" src="app/page/browser/${script}.js"></script></head>
<body><header><div class="top"><p class="brand"><img src="app/icon.svg" alt="" width="22" height="22">Limbeck</p><p id="state" class="state" role="status"></p></div>
<h1 id="lead">${lead}</h1><p id="sub" class="sub"></p>
${links.length === 0 ? '' : `<nav aria-label="Sections"><ul>${links.join('')}</ul></nav>`}
<noscript><p class="caution">This page needs JavaScript, which this browser does not run.</p></noscript></header>
<main><div id="gate"></div>${main}</main>
<footer id="foot"></footer></body></html>
`;
}
