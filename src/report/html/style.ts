/** Colours hold WCAG AA on their grounds in both schemes; models differ by shape and dashes too. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#fbfbfa;--card:#fff;--ink:#1c2127;--soft:#545d68;--rule:#dde1e6;--grid:#e9ecef;
--accent:#1d5fc4;--good:#12703c;--bad:#b3261e;--warn:#8a5300;--tint:#1d5fc414;--shade:#0003;
--s0:#4a5360;--s1:#b45309;--s2:#1d5fc4;--s3:#0f766e;--s4:#8b2fb0;--s5:#b3265e}
@media(prefers-color-scheme:dark){:root{--ground:#12161b;--card:#1a2027;--ink:#e8ecf1;--soft:#a9b4c0;--rule:#333d48;--grid:#28313a;
--accent:#8cb8ff;--good:#6fd69a;--bad:#ff9a92;--warn:#f0bc6b;--tint:#8cb8ff1a;--shade:#0009;
--s0:#b6c1cd;--s1:#f5a95a;--s2:#8cb8ff;--s3:#5fd0c4;--s4:#d6a0f0;--s5:#ff9ec0}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:36px}
h1{font-size:1.15rem;font-weight:600;color:var(--soft);margin:0 0 6px;overflow-wrap:anywhere}
.lead{font-size:clamp(1.35rem,3.4vw,2rem);line-height:1.25;font-weight:650;letter-spacing:-.015em;margin:0 0 10px;max-width:26em;text-wrap:balance}
.sub{color:var(--soft);margin:0 0 22px;max-width:46em}
h2{font-size:1.2rem;letter-spacing:-.01em;margin:0 0 4px}
h3{font-size:1rem;margin:18px 0 6px}
section{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:20px 22px;margin:0 0 18px}
section>p{margin:0 0 12px;color:var(--soft);max-width:60em}
section>p:last-child{margin-bottom:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(148px,1fr));gap:12px;margin:0 0 18px}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:14px 16px}
.tile b{display:block;font-size:1.6rem;line-height:1.2;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.86rem;line-height:1.35;display:block}
.tile b.word{font-size:1.15rem;line-height:1.65}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.scroll{overflow-x:auto;margin:0 -22px;padding:0 22px;background:linear-gradient(90deg,var(--card) 40%,transparent) 0 0/56px 100% no-repeat local,
linear-gradient(270deg,var(--card) 40%,transparent) 100% 0/56px 100% no-repeat local,linear-gradient(90deg,var(--shade),transparent) 0 0/20px 100% no-repeat scroll,
linear-gradient(270deg,var(--shade),transparent) 100% 0/20px 100% no-repeat scroll}
.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:-2px}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:7px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap;vertical-align:top}
th{color:var(--soft);font-weight:600}
th:first-child,td:first-child{padding-left:0}
td.text,th.text,tbody th{text-align:left}
tbody th{color:var(--ink)}tbody th small{font-weight:400}
tr.chosen th,tr.chosen td{background:var(--tint)}
tr.chosen th:first-child{box-shadow:-6px 0 0 var(--accent)}
tr:last-child th,tr:last-child td{border-bottom:0}
td small,tbody th small{display:block;color:var(--soft);font-size:.82em}
.bar{display:block;height:5px;border-radius:3px;background:var(--grid);margin-top:4px;min-width:84px}
.bar i{display:block;height:100%;border-radius:3px;background:var(--accent);min-width:2px}
.key{display:inline-block;vertical-align:-1px;margin-right:7px}
figure{margin:0}
figcaption{font-weight:600;font-size:.95rem;margin:0 0 4px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:20px}
svg.chart{display:block;width:100%;height:auto;font:12px system-ui,sans-serif}
svg.small{font-size:13px;max-width:520px}
svg.chart text{dominant-baseline:central;paint-order:stroke;stroke-linejoin:round}
svg.chart :not([fill]){fill:none}svg.chart text:not([fill]){fill:var(--soft)}
svg.chart text.name{fill:var(--ink);font-size:13px;font-weight:600}
.narrow{display:none!important}
.point{outline:none}
.target{fill:transparent!important;stroke-width:2}
.point:hover .target,.point:focus-visible .target{stroke:var(--accent)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:4px 0 10px;padding:0;font-size:.9rem}
.legend svg{vertical-align:-1px;margin-right:6px}
fieldset{border:0;margin:0 0 10px;padding:0}
legend{font-weight:600;padding:0;margin-bottom:6px}
.choice{display:inline-block;margin:0 6px 6px 0}
.choice input{position:absolute;opacity:0}
.choice label{display:inline-block;padding:3px 11px;border:1px solid var(--rule);border-radius:99px;font-size:.87rem;cursor:pointer}
.choice input:checked+label{background:var(--accent);border-color:var(--accent);color:var(--card);font-weight:600}
.choice input:focus-visible+label{outline:2px solid var(--accent);outline-offset:2px}
nav ul{display:flex;flex-wrap:wrap;gap:2px 16px;list-style:none;margin:0 0 20px;padding:0;font-size:.92rem}
a{color:var(--accent)}section{scroll-margin-top:12px}
.panel{display:none}
.panel>svg+svg{margin-top:0}
.front-list{margin:8px 0 0!important;font-size:.92rem;color:var(--soft)}.front-list b{color:var(--ink)}
.readout{opacity:0;pointer-events:none}.point:hover .readout,.point:focus .readout{opacity:1}
svg:has(.point:hover) .hint,svg:has(.point:focus) .hint{opacity:0}
svg:has(.point:hover) .point:focus:not(:hover) .readout{opacity:0}
.caution{border-left:3px solid var(--warn);padding-left:12px;overflow-wrap:anywhere;color:var(--ink)!important}
.thirds{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,250px),1fr));gap:18px;margin-top:16px}
.swatch{display:inline-block;width:13px;height:13px;border-radius:3px;vertical-align:-2px;margin-right:6px}
.strip{display:flex;height:9px;min-width:150px;max-width:240px;margin-top:5px;border-radius:3px;overflow:hidden;gap:1px}
.strip i{display:block;height:100%}
.part-bothRight{background:var(--s3)}.part-onlyThis{background:var(--s2)}.part-onlyTeacher{background:var(--s1)}
.part-sameError{background:repeating-linear-gradient(45deg,var(--s5) 0 3px,var(--card) 3px 5px)}.part-differentErrors{background:var(--s5)}
details{margin:10px 0 0}summary{cursor:pointer;font-weight:600;padding:4px 0}
pre{background:var(--ground);border:1px solid var(--rule);border-radius:8px;padding:12px 14px;overflow-x:auto;font:.84rem/1.5 ui-monospace,Menlo,Consolas,monospace;margin:8px 0 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:5px 18px;margin:6px 0 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
ul.notes{margin:6px 0 0;padding-left:20px}
.confusion td{text-align:center;min-width:40px;padding:5px 6px}
.confusion td.zero{color:var(--soft)}
.confusion thead th{text-align:center;max-width:9em;overflow:hidden;text-overflow:ellipsis}
.confusion tbody th{max-width:12em;overflow:hidden;text-overflow:ellipsis;text-align:left}
.hit{background:color-mix(in srgb,var(--accent) var(--w),transparent)}.miss{background:color-mix(in srgb,var(--bad) var(--w),transparent)}
.examples{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:14px;list-style:none;margin:12px 0 0;padding:0}
.examples li{border:1px solid var(--rule);border-radius:8px;padding:10px 12px;overflow-wrap:anywhere}
.examples img{width:84px;height:84px;object-fit:contain;image-rendering:pixelated;border:1px solid var(--rule)}
.examples audio{display:block;width:100%;height:34px;margin-top:6px}.examples blockquote{margin:0 0 6px;padding-left:8px;border-left:3px solid var(--rule);font-size:.88rem}
.examples .marked{grid-column:1/-1}.examples mark{background:#8fb8de55;color:inherit;border-radius:3px;padding:0 3px}.examples mark small{margin-left:4px;font-size:.68rem}
.examples :is(.masked,.boxed){grid-column:span 2}.masked dl{display:flex;flex-wrap:wrap;gap:4px 10px}.boxed dl{gap:5px 10px!important;grid-auto-flow:column;grid-template:auto auto/repeat(3,minmax(0,190px))}.boxed svg{display:block;width:100%;height:auto}.boxed rect{fill:none;stroke:#ff2d87;stroke-width:1.2}.boxed text{font-size:7px;font-weight:600;fill:#fff;stroke:#8f0f47;stroke-width:1.6;paint-order:stroke}.examples code{font-size:.8rem}.examples small{color:var(--soft)}
footer{color:var(--soft);font-size:.88rem;padding-bottom:36px}
@media(max-width:620px){.examples :is(.masked,.boxed){grid-column:1/-1}main,header,footer{padding-left:14px;padding-right:14px}header{padding-top:22px}section{padding:16px 14px}
.scroll{margin:0 -14px;padding:0 14px}.wide{display:none!important}.narrow{display:block!important}.tiles{grid-template-columns:1fr 1fr}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}
@media(min-width:621px){@supports selector(a::details-content){.far{margin:0}.far>summary{display:none}.far::details-content{content-visibility:visible;height:auto}}}
@media print{.far>summary{display:none}:root{color-scheme:light}body{background:#fff;font-size:11pt}section,.tile{break-inside:avoid;border-color:#bbb}.scroll{overflow:visible}
details::details-content{content-visibility:visible;height:auto}.choice input:not(:checked)+label{display:none}th,td{padding:3px 6px;white-space:normal}pre{white-space:pre-wrap}}
`;
