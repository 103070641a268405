/** The style sheet of a tune report: follows the system's light or dark mode, one column on a phone. */
export const reportStyle = `
:root{color-scheme:light dark;--page:#f6f6f4;--card:#fff;--ink:#23262b;--soft:#5f656e;--line:#dfe0dd;--link:#2a5db0;--media:#15181c;
--a:#2263c4;--b:#b8570c;--star:#a3264f;--note:#8f6410;--hatch:#c9cbc7;--other:#9aa0a6;
--q0:#f1f4f2;--q1:#dcebe4;--q2:#bfddd2;--q3:#9bcbbf;--q4:#78b8ae;--q5:#58a5a0;--q6:#2a7c80;--q7:#14646c;--q8:#074853;--low:#14201f;--high:#fff}
@media(prefers-color-scheme:dark){:root{--page:#16181b;--card:#1f2226;--ink:#e4e6e9;--soft:#9aa1ab;--line:#33373d;--link:#8db4f0;--media:#0d0f11;
--a:#78aaf5;--b:#f0a35e;--star:#f58bab;--note:#dfb45e;--hatch:#3b4046;--other:#71777f;
--q0:#23292c;--q1:#1f3538;--q2:#1c4347;--q3:#1a5256;--q4:#1d6264;--q5:#277371;--q6:#52a096;--q7:#7cbcae;--q8:#b2ddcf;--low:#f2f6f5;--high:#0b1413}}
*{box-sizing:border-box}
[hidden]{display:none!important}
html{scroll-padding-top:52px}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header,main,footer,nav ul{max-width:1240px;margin:0 auto;padding:0 20px}
h1{font-size:22px;line-height:1.3;margin:24px 0 2px;overflow-wrap:anywhere}
h2{font-size:18px;line-height:1.35;margin:36px 0 2px}
h3{font-size:15px;margin:18px 0 4px}
p{margin:4px 0}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.soft{color:var(--soft)}
small{font-size:11px;color:var(--soft)}
nav{position:sticky;top:0;z-index:3;background:var(--page);border-bottom:1px solid var(--line)}
nav ul{list-style:none;display:flex;gap:4px 18px;padding-top:9px;padding-bottom:9px;overflow-x:auto;white-space:nowrap;font-size:14px}
nav a{text-decoration:none}
.totals{display:flex;flex-wrap:wrap;gap:4px 32px;margin:10px 0;padding:0}
.totals div{display:flex;flex-direction:column-reverse}
.totals dt{color:var(--soft);font-size:13px}
.totals dd{margin:0;font-size:20px;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:10px 0}
#recommendation{margin-top:18px;padding:16px 20px}
#recommendation h2{margin-top:0}
#recommendation dd{font-size:28px;line-height:1.2}
#recommendation .small{gap:6px 26px;margin:14px 0 0}
#recommendation .small dd{font-size:15px;line-height:1.4}
.small dt{font-size:12px}
.reasons{margin:8px 0;padding-left:20px;max-width:75ch}
.note{margin:10px 0;padding-left:10px;border-left:3px solid var(--note);max-width:75ch}
pre{margin:6px 0;padding:9px 12px;background:var(--page);border:1px solid var(--line);border-radius:6px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all;font:13px/1.5 ui-monospace,monospace}
.wide{overflow-x:auto}
svg{display:block}
.plane,.windows svg{width:100%;min-width:620px;height:auto}
.plane{max-width:880px;margin:0 auto}
.gridlines path{fill:none;stroke:var(--line);stroke-width:1}
.ticks text{fill:var(--soft);font-size:11.5px}
.plane text{fill:var(--soft);font-size:12px;paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.plane text.front{fill:var(--ink);font-weight:600}
.plane text.best{fill:var(--star);font-weight:700}
.plane text.better{fill:var(--soft);font-style:italic}
.bars path{fill:none;stroke:var(--soft);stroke-width:1.2;opacity:.55}
.lead{stroke:var(--soft);stroke-width:1;opacity:.7}
.frontline{fill:none;stroke:var(--q7);stroke-width:2;stroke-linejoin:round}
.mark{stroke:var(--card);stroke-width:3;paint-order:stroke}
.mark.other{fill:var(--other)}
.mark.front{fill:var(--q7)}
.mark.best{fill:var(--star)}
.live [data-cell]{cursor:pointer}
.live .mark:hover{fill:var(--ink)}
.mark.on-0{stroke:var(--a);stroke-width:7}
.mark.on-1{stroke:var(--b);stroke-width:7}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;margin:8px 0;padding:0;font-size:13px;color:var(--soft);align-items:center}
.legend li{display:flex;align-items:center;gap:6px}
.legend i{display:inline-block;width:20px;height:16px;flex:none}
.scale{display:inline-flex;border:1px solid var(--line)}
.shape{width:16px;height:16px}
.maps{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,270px),1fr));gap:14px}
.maps.many{grid-template-columns:repeat(auto-fill,minmax(min(100%,370px),1fr))}
.maps figure{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px 12px;min-width:0}
figure{margin:0}
figcaption{font-size:13.5px;line-height:1.4;margin-bottom:6px}
figcaption .soft{font-size:12.5px}
.map{border-collapse:separate;border-spacing:2px;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
.map th{font-weight:400;color:var(--soft);font-size:12px;padding:1px 2px}
.map thead th:first-child{width:54px}
.map tbody th{text-align:right;padding-right:6px}
.map tbody td{height:34px;min-width:44px;text-align:center;padding:0 1px;border-radius:3px}
.q0{background-color:var(--q0)}.q1{background-color:var(--q1)}.q2{background-color:var(--q2)}.q3{background-color:var(--q3)}.q4{background-color:var(--q4)}
.q5{background-color:var(--q5)}.q6{background-color:var(--q6)}.q7{background-color:var(--q7)}.q8{background-color:var(--q8)}
.q0,.q1,.q2,.q3,.q4,.q5{color:var(--low)}.q6,.q7,.q8{color:var(--high)}
.none{color:var(--soft)}
.invalid{background-image:repeating-linear-gradient(45deg,var(--hatch) 0 1.5px,transparent 1.5px 6px)}
.dominated{background-image:repeating-linear-gradient(135deg,var(--hatch) 0 1.5px,transparent 1.5px 9px)}
.failed{background-image:repeating-linear-gradient(0deg,var(--hatch) 0 1.5px,transparent 1.5px 5px)}
.map td.front,.legend i.front{box-shadow:inset 0 -4px var(--soft)}
.map td.best,.legend i.best{box-shadow:inset 0 0 0 2.5px var(--star),inset 0 0 0 4px var(--card);font-weight:700}
.map td.on-0{outline:2px solid var(--a);outline-offset:-1px}
.map td.on-1{outline:2px dashed var(--b);outline-offset:-1px}
details{margin:14px 0}
summary{cursor:pointer;font-weight:600}
button,select{font:inherit;font-size:14px;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 11px;cursor:pointer}
select{padding:4px 6px;max-width:100%}
button[aria-pressed=true]{background:var(--ink);border-color:var(--ink);color:var(--page)}
label{color:var(--soft);font-size:13px}
label select{color:var(--ink)}
.player{outline-offset:0}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:14px;max-width:max(600px,calc(124vh * var(--ratio,1) + 14px));margin:0 auto}
.side{min-width:0}
.side figcaption{display:flex;flex-wrap:wrap;gap:6px 10px;align-items:center}
.which{font-weight:700;min-width:36px}
.side-0 .which{color:var(--a);border-color:var(--a)}.side-1 .which{color:var(--b);border-color:var(--b)}
.side-0 .which[aria-pressed=true]{background:var(--a);color:var(--card)}.side-1 .which[aria-pressed=true]{background:var(--b);color:var(--card)}
video{display:block;width:100%;height:auto;max-height:62vh;object-fit:contain;background:var(--page);cursor:pointer}
.trouble{color:var(--star);font-size:13px;overflow-wrap:anywhere}
.timeline{margin:12px 0 6px}
.strip{display:block;width:calc(100% - 16px);height:10px;margin:0 8px;overflow:visible}
.strip line{stroke-width:2}
.strip-0 line{stroke:var(--a)}.strip-1 line{stroke:var(--b)}
input[type=range]{display:block;appearance:none;width:100%;height:18px;margin:0;background:none;cursor:pointer}
input[type=range]::-webkit-slider-runnable-track{height:6px;border-radius:3px;background:var(--line)}
input[type=range]::-moz-range-track{height:6px;border-radius:3px;background:var(--line)}
input[type=range]::-webkit-slider-thumb{appearance:none;width:16px;height:16px;margin-top:-5px;border-radius:8px;background:var(--ink);border:0}
input[type=range]::-moz-range-thumb{width:16px;height:16px;border-radius:8px;background:var(--ink);border:0}
.controls{display:flex;flex-wrap:wrap;gap:6px 8px;align-items:center}
.controls .play{min-width:72px;font-weight:600}
output{margin-left:auto;font-variant-numeric:tabular-nums;color:var(--soft);font-size:14px}
#keys{font-size:13px;margin-top:8px}
kbd{font:12px ui-monospace,monospace;border:1px solid var(--line);border-radius:4px;padding:0 4px;background:var(--page);color:var(--ink)}
.ink-0{color:var(--a);stroke:var(--a)}.ink-1{color:var(--b);stroke:var(--b)}
span.ink-0,span.ink-1,b.ink-0,b.ink-1{stroke:none;font-weight:600}
.curves{display:grid;grid-template-columns:1fr;gap:14px 20px;margin-top:8px}
@media(min-width:940px){.curves{grid-template-columns:1fr 1fr}}
.curves figure{min-width:0;overflow:hidden}
.curves figcaption{display:flex;flex-wrap:wrap;gap:0 8px;margin:0 10px 0 46px}
.curves .reading{margin-left:auto;font-variant-numeric:tabular-nums}
.curves svg{cursor:crosshair;touch-action:pan-y}
.curve{fill:none;stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}
.dots{fill:none;stroke-width:4.5;stroke-linecap:round}
.curve.other{stroke-width:1;opacity:.38}
.joint{stroke-width:2;fill:none}
.joint-0{stroke:var(--a)}.joint-1{stroke:var(--b)}
.faint{stroke:var(--line);stroke-width:1;stroke-dasharray:2 3}
.cursor{stroke:var(--ink);stroke-width:1;opacity:.7}
#windows .card{display:flex;flex-direction:column;gap:18px}
.windows{min-width:0}
.windows.on-0{order:-1}
.windows.on-0 b::before{content:'A ';color:var(--a)}
.windows.on-1 b::before{content:'B ';color:var(--b)}
.windows.on-0.on-1 b::before{content:'A B ';color:var(--ink)}
.w0{fill:none;stroke:var(--soft);stroke-dasharray:2 2}
.w1{fill:var(--q2)}.w2{fill:var(--q3)}.w3{fill:var(--q4)}.w4{fill:var(--q5)}.w5{fill:var(--q7)}
.windows .joints{fill:var(--star);stroke:var(--star);stroke-width:1;opacity:.8}
.plain{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}
.plain th,.plain td{padding:5px 9px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
.plain thead th{vertical-align:bottom;color:var(--soft);font-weight:600}
.numbers td,.numbers th{white-space:nowrap}
.numbers td{text-align:right}
.numbers thead th:nth-child(n+4){text-align:right}
.numbers td.picks,.numbers td:nth-child(3){text-align:left}
.numbers td.why{text-align:left;white-space:normal}
.numbers thead th{min-width:78px;white-space:normal;line-height:1.25}
.numbers thead th button{border:0;background:none;padding:2px 0;text-align:inherit;font-size:13px;font-weight:600}
.numbers thead small{display:block;font-weight:400}
.numbers th[aria-sort] button{color:var(--ink)}
.numbers th[aria-sort=ascending] button::after{content:' ▲'}
.numbers th[aria-sort=descending] button::after{content:' ▼'}
.numbers tbody th{position:sticky;left:0;background:var(--card);z-index:1}
.numbers tr.best th{color:var(--star)}
.numbers .picks button{padding:0 7px;margin-right:4px;font-size:12.5px}
.on-0 .picks [data-side='0']{background:var(--a);border-color:var(--a);color:var(--card)}
.on-1 .picks [data-side='1']{background:var(--b);border-color:var(--b);color:var(--card)}
#numbers .card{padding:4px 6px}
.meanings{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,380px),1fr));gap:12px 28px}
.meanings dd{margin:0}
footer{color:var(--soft);font-size:13px;margin-top:36px;margin-bottom:32px}
@media(max-width:600px){header,main,footer,nav ul{padding-left:12px;padding-right:12px}.sides{gap:6px}.card{padding:10px}#recommendation{padding:12px}
.totals{gap:4px 22px}.controls button{padding:4px 8px}.curves figcaption{margin-left:4px}}
@media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;
