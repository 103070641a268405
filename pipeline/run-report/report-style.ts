/** The style sheet of a run's report: follows the system's light or dark mode, one column on a phone. */
export const reportStyle = `
:root{color-scheme:light dark;--page:#f6f6f4;--card:#fff;--ink:#23262b;--soft:#5f656e;--line:#dfe0dd;--link:#2a5db0;--idle:#f0dcd9;--label:#fff;
--models:#8d939c;--read:#7f8f4e;--pose:#2f8a7b;--draw:#b0647c;--picture:#6b6fb8;--features:#4a90b8;--denoise:#4468bd;--decode:#b97a26;--encode:#8f5490}
@media(prefers-color-scheme:dark){:root{--page:#16181b;--card:#1f2226;--ink:#e4e6e9;--soft:#9aa1ab;--line:#33373d;--link:#8db4f0;--idle:#47302f;--label:#0f1114;
--models:#8d939c;--read:#a3b56c;--pose:#4bb0a0;--draw:#d58aa2;--picture:#9a9ee0;--features:#74b6da;--denoise:#7f9fe6;--decode:#d9a050;--encode:#bd85be}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header,main,footer{max-width:1240px;margin:0 auto;padding:0 20px}
h1{font-size:22px;line-height:1.3;margin:24px 0 2px;overflow-wrap:anywhere}
h2{font-size:18px;line-height:1.35;margin:34px 0 2px}
p{margin:4px 0;max-width:85ch}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.soft{color:var(--soft);overflow-wrap:anywhere}
.totals{display:flex;flex-wrap:wrap;gap:4px 32px;margin:12px 0;padding:0}
.totals div{display:flex;flex-direction:column-reverse}
.totals dt{color:var(--soft);font-size:13px}
.totals dd{margin:0;font-size:20px;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.small dd{font-size:15px}
#plan .totals{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:8px 16px;margin:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:10px 0}
.wide{overflow-x:auto}
svg{display:block}
.timeline{width:100%;min-width:760px;height:auto}
.axis path{stroke:var(--line);stroke-width:1}
.axis text{fill:var(--soft);font-size:11.5px}
.row>text:first-child{fill:var(--ink);font-size:12.5px}
.label{fill:var(--label);font-size:11px;pointer-events:none}
.idle{fill:var(--idle);background:var(--idle)}
.models{fill:var(--models);background:var(--models)}.read{fill:var(--read);background:var(--read)}.pose{fill:var(--pose);background:var(--pose)}
.draw{fill:var(--draw);background:var(--draw)}.picture{fill:var(--picture);background:var(--picture)}.features{fill:var(--features);background:var(--features)}
.denoise{fill:var(--denoise);background:var(--denoise)}.decode{fill:var(--decode);background:var(--decode)}.encode{fill:var(--encode);background:var(--encode)}
.s1{opacity:.35}.s2{opacity:.55}.s3{opacity:.8}
.timeline rect:hover{stroke:var(--ink);stroke-width:1.5}
.bar{width:100%;height:22px;border-radius:4px;margin:4px 0 8px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;margin:8px 0 0;padding:0;font-size:13px;color:var(--soft)}
.legend b{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums}
.legend i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px}
.steps{width:100%;height:110px}
.steps rect{fill:var(--denoise)}
.steps rect.first{fill:var(--models)}
.pair{display:grid;grid-template-columns:1fr;gap:0 20px}
@media(min-width:900px){.pair{grid-template-columns:1fr 1fr}}
.pair>section{min-width:0}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th{font-weight:400;color:var(--soft);font-size:12.5px;text-align:right;padding:2px 8px;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;padding-left:0}
td{text-align:right;padding:3px 8px;border-top:1px solid var(--line);white-space:nowrap}
td:last-child,th:last-child{padding-right:0}
td .soft,td.soft{font-size:12.5px}
.links{display:flex;flex-wrap:wrap;gap:2px 18px;margin:6px 0 12px}
img{display:block;max-width:100%;height:auto;border-radius:6px}
footer{color:var(--soft);font-size:13px;margin-top:30px;margin-bottom:32px}
@media(max-width:520px){header,main,footer{padding:0 12px}}
`;
