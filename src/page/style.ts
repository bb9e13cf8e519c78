import { STYLE } from '../report/html/style.ts';

/** The report's look, and what only a page at work has. */
export const PAGE_STYLE = `${STYLE}
[hidden]{display:none!important}
header{padding-top:20px}
.top{display:flex;justify-content:space-between;align-items:center;gap:12px;margin-bottom:20px}
.brand{display:flex;align-items:center;gap:8px;margin:0;font-weight:650;letter-spacing:-.01em}
.state{margin:0;font-size:.88rem;color:var(--soft)}
.state.good::before,.state.bad::before{content:"";display:inline-block;width:9px;height:9px;border-radius:50%;background:currentColor;margin-right:7px}
.state.good{color:var(--good)}.state.bad{color:var(--bad)}
h1{font-size:clamp(1.35rem,3.4vw,2rem);line-height:1.2;font-weight:650;letter-spacing:-.015em;color:var(--ink);text-wrap:balance}
.sub{margin-bottom:14px}.soft{color:var(--soft);font-size:.9rem;margin:8px 0 0}
h2{margin-bottom:10px}header:has(+main .gate) nav{display:none}.soft:empty{display:none}.wrap tbody th{white-space:normal;overflow-wrap:anywhere}
h3{display:flex;align-items:center;flex-wrap:wrap;gap:6px 8px;margin:0 0 8px;overflow-wrap:anywhere}
h3 .key{flex:none;margin:0}
.badge{font-weight:500;font-size:.78rem;color:var(--soft);border:1px solid var(--rule);border-radius:99px;padding:0 8px}
.when{font-weight:400;font-size:.86rem;color:var(--soft);margin-left:auto;font-variant-numeric:tabular-nums}
button{font:inherit;font-weight:600;color:var(--card);background:var(--accent);border:1px solid var(--accent);border-radius:8px;padding:7px 16px;min-height:40px;cursor:pointer}
button.small{background:none;color:var(--accent);min-height:32px;padding:2px 12px;font-size:.87rem;margin-top:8px}
button:focus-visible,input:focus-visible,textarea:focus-visible,a:focus-visible,summary:focus-visible,canvas:focus-visible,svg.live:focus-visible,pre:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
input:not([type=radio]),textarea{font:inherit;color:inherit;background:var(--ground);border:1px solid var(--soft);border-radius:8px;padding:7px 10px;width:100%;min-height:40px}
textarea{font:.86rem/1.5 ui-monospace,Menlo,Consolas,monospace}
input:is([type=checkbox],[type=range]){width:auto;min-height:0;padding:0;accent-color:var(--accent)}
.row{display:flex;align-items:center;gap:10px;margin:10px 0 0}.row input[type=range]{flex:1;min-width:60px}
.gate{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:20px 22px;margin:0 0 18px;max-width:620px}
.gate label{color:var(--soft)}
.try{display:grid;grid-template-columns:minmax(0,320px) minmax(0,1fr);gap:28px}
.board{position:relative;width:100%}
.paper{display:block;width:100%;height:auto;border-radius:10px;border:1px solid var(--soft);touch-action:none;cursor:crosshair}
.pen{position:absolute;width:14px;height:14px;margin:-7px 0 0 -7px;border:2px solid #e0702a;border-radius:50%;pointer-events:none}.pen.down{background:#e0702a}
.sees{display:flex;align-items:center;gap:12px;margin-top:12px;color:var(--soft)}
.sees figcaption{font-weight:400;font-size:.88rem;margin:0}
.seen{width:56px;height:56px;object-fit:contain;image-rendering:pixelated;border:1px solid var(--rule);border-radius:6px;background:#000}
.chooser{position:relative}
.file{position:absolute;inset:0;opacity:0;cursor:pointer;height:100%}
.drop{display:grid;place-items:center;min-height:150px;padding:16px;text-align:center;border:2px dashed var(--soft);border-radius:10px;color:var(--soft);overflow-wrap:anywhere}
.file:focus-visible+.drop{outline:2px solid var(--accent);outline-offset:2px}
.shown canvas,.video{display:block;width:100%;height:auto;max-height:320px;object-fit:contain;border-radius:10px;margin-top:10px;background:var(--ground)}
.video{aspect-ratio:4/3;border:1px solid var(--rule);margin:0}
.said{color:var(--ink)!important;font-size:1.25rem;font-weight:650;letter-spacing:-.01em;margin:0 0 14px;min-height:1.55em;overflow-wrap:anywhere}
.side{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,230px),1fr));gap:22px}
.bars ol{list-style:none;margin:0;padding:0}.bars{min-height:11.5rem}
.bars li{display:grid;grid-template-columns:1fr auto;gap:0 10px;margin:0 0 9px;font-size:.93rem}
.bars .label{overflow-wrap:anywhere}.bars .value{font-variant-numeric:tabular-nums;color:var(--soft)}
.bars .bar{grid-column:1/-1;height:7px;margin-top:3px}.bars .bar i{transition:width .18s}
.bars li:first-child .label,.bars li:first-child .value{font-weight:650;color:var(--ink)}
.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(92px,1fr));gap:8px;margin-bottom:12px}
.fields label,.tensor label{font-size:.82rem;color:var(--soft)}
.tensor legend{margin-bottom:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:22px 26px}
figure.chart figcaption{display:flex;gap:10px}
svg.live{touch-action:pan-y;cursor:crosshair;font-size:12px;border-radius:4px}
figure.chart .legend{gap:2px 16px;margin:2px 0 0 48px;font-size:.86rem}
.legend b{font-variant-numeric:tabular-nums}.legend .key{margin-right:6px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:26px}
.card+.card{border-top:1px solid var(--rule);padding-top:20px}
@media(min-width:900px){.card+.card{border-top:0;padding-top:0}}
.figures{display:flex;flex-wrap:wrap;gap:8px 26px;margin:0 0 10px}
.figures b{display:block;font-size:1.35rem;line-height:1.2;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.figures span{color:var(--soft);font-size:.84rem}
.card dl{font-size:.92rem;grid-template-columns:6.6em 1fr}
.classes{display:flex;flex-wrap:wrap;gap:5px;margin:6px 0 0!important;max-height:220px;overflow:auto}
.classes span{font-size:.84rem;border:1px solid var(--rule);border-radius:6px;padding:1px 8px;color:var(--ink)}
.bars .masked{display:block;width:100%;max-width:420px;border-radius:6px;image-rendering:pixelated;margin-bottom:8px}
.alike{font-size:.86rem;font-variant-numeric:tabular-nums}.alike td,.alike thead th{text-align:center;padding:4px 6px}.alike tbody th{display:flex;align-items:center;gap:8px;justify-content:space-between;text-align:left;font-weight:500;min-width:9em;overflow-wrap:anywhere}
.bars mark{background:#8fb8de55;color:inherit;border-radius:3px;padding:0 3px}.bars mark small{margin-left:4px;font-size:.72rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
.progress{height:10px;border-radius:5px;background:var(--grid);overflow:hidden;margin:10px 0}
.progress i{display:block;height:100%;background:var(--accent);border-radius:5px;transition:width .3s}
ul.log{list-style:none;margin:0;padding:0;font-size:.9rem}ul.log li{padding:3px 0;border-bottom:1px solid var(--grid);overflow-wrap:anywhere}ul.log li.warning{border-left:3px solid var(--warn);padding-left:10px}
iframe{width:100%;height:80vh;border:1px solid var(--rule);border-radius:10px;background:var(--ground)}
.op{border-top:1px solid var(--rule);padding:12px 0}.op summary{display:flex;gap:10px;align-items:baseline;flex-wrap:wrap}
.verb{font:600 .8rem ui-monospace,Menlo,Consolas,monospace;color:var(--accent);min-width:3.4em}.op code{overflow-wrap:anywhere}.op summary span{font-weight:400;color:var(--soft)}
@media(max-width:760px){.try{grid-template-columns:1fr}.bars{min-height:0}figure.chart .legend{margin-left:0}.board{max-width:min(100%,340px);margin:0 auto}}
@media(prefers-reduced-motion:reduce){*{transition:none!important}}
`;
