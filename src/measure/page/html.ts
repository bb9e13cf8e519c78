const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; }
label { display: block; margin: 1rem 0; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; }
button { font: inherit; width: 100%; min-height: 3rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid #8886; font-variant-numeric: tabular-nums; }
`;

/** The page that measures; scripts are separate files, none inline. */
export function pageHtml(title: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Limbeck: ${escaped(title)}</title>
<link rel="stylesheet" href="style.css">
<script type="module" src="page/script.js"></script>
<body>
<h1>How fast is ${escaped(title)} on this device?</h1>
<label>Name of this device <input id="device" maxlength="60" autocomplete="off"></label>
<button id="start" disabled>Measure</button>
<p id="status" role="status">Keep the screen on and other apps closed.</p>
<div id="result" class="table" hidden>
<table>
<thead><tr><th>model<th>runtime<th>batch<th>threads<th>median ms<th>95 % ms</tr></thead>
<tbody id="rows"></tbody>
</table>
<ul id="skipped"></ul>
</div>
</body>
</html>
`;
}

export function pageStyle(): string {
  return STYLE;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
