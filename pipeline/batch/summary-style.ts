/** Groups of stages that have a colour on the page; all others are `other`. */
export const stageGroups = ['models', 'pose', 'denoise', 'decode', 'encode', 'other'] as const;

export type StageGroup = (typeof stageGroups)[number];

/** The style sheet of a batch's page: follows the system's light or dark mode, one column on a phone. */
export const summaryStyle = `
:root{color-scheme:light dark;--page:#f6f6f4;--card:#fff;--ink:#23262b;--soft:#666c75;--line:#dfe0dd;--link:#2a5db0;
--done:#2c7a4b;--failed:#b3382c;--interrupted:#8f6410;--media:#15181c;
--models:#8d939c;--pose:#3d9c8c;--denoise:#5478c9;--decode:#cf9440;--encode:#a2679f;--other:#c3c7cc}
@media(prefers-color-scheme:dark){:root{--page:#16181b;--card:#1f2226;--ink:#e4e6e9;--soft:#9aa1ab;--line:#33373d;--link:#8db4f0;
--done:#6cc08c;--failed:#f08a7e;--interrupted:#dfb45e;--media:#0d0f11;
--models:#8d939c;--pose:#4bb0a0;--denoise:#7396e0;--decode:#d29b4c;--encode:#b67fb3;--other:#565c65}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header,main,footer{max-width:1500px;margin:0 auto;padding:0 20px}
h1{font-size:22px;line-height:1.3;margin:24px 0 2px;overflow-wrap:anywhere}
h2{font-size:16px;line-height:1.35;margin:0;overflow-wrap:anywhere;font-weight:600}
p{margin:4px 0}
a{color:var(--link)}
.soft{color:var(--soft)}
.totals{display:flex;flex-wrap:wrap;gap:4px 32px;margin:14px 0;padding:0}
.totals div{display:flex;flex-direction:column-reverse}
.totals dt{color:var(--soft);font-size:13px}
.totals dd{margin:0;font-size:20px;font-variant-numeric:tabular-nums}
.tools{position:sticky;top:0;z-index:1;background:var(--page);border-bottom:1px solid var(--line)}
.tools form{max-width:1500px;margin:0 auto;padding:10px 20px;display:flex;flex-wrap:wrap;gap:8px;align-items:center}
button,input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 12px}
button{cursor:pointer}
button[aria-pressed=true]{background:var(--ink);border-color:var(--ink);color:var(--page)}
input{flex:1 1 180px;min-width:0;max-width:340px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 14px;margin:0;padding:0;font-size:13px;color:var(--soft)}
.legend i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:5px}
.grid:empty{display:none}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:16px;margin:16px 0}
article{background:var(--card);border:1px solid var(--line);border-radius:8px;overflow:hidden;content-visibility:auto;contain-intrinsic-size:auto 400px}
.text{padding:12px 14px 14px}
.head{display:flex;gap:10px;justify-content:space-between;align-items:baseline}
.state{flex:none;font-size:13px;font-weight:600}
.done{color:var(--done)}.failed{color:var(--failed)}.interrupted{color:var(--interrupted)}
.facts,.links{font-size:13px}
.links{display:flex;flex-wrap:wrap;gap:2px 14px;margin-top:8px}
.media{display:block;position:relative;aspect-ratio:2/1;background:var(--media)}
.media img,.media video{position:absolute;inset:0;width:100%;height:100%;object-fit:contain}
.media img{color:#8d939c;font-size:13px}
a.media::after{content:'\\25B6';position:absolute;left:10px;bottom:10px;padding:3px 11px;border-radius:14px;color:#fff;background:#000a;font-size:14px}
a.media:hover::after,a.media:focus-visible::after{background:#000}
.bar{display:block;width:100%;height:10px;margin:10px 0 6px;border-radius:3px}
.models{fill:var(--models);background:var(--models)}.pose{fill:var(--pose);background:var(--pose)}
.denoise{fill:var(--denoise);background:var(--denoise)}.decode{fill:var(--decode);background:var(--decode)}
.encode{fill:var(--encode);background:var(--encode)}.other{fill:var(--other);background:var(--other)}
.warning,.error{margin:10px 0 0;padding-left:10px;border-left:3px solid var(--interrupted);font-size:14px;overflow-wrap:anywhere}
.error{border-color:var(--failed)}
.error dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:0 10px;margin:4px 0 0;font-size:13px}
.error dt{color:var(--soft)}
.error dd{margin:0;white-space:pre-wrap}
.skipped{margin:24px 0}
.skipped summary{cursor:pointer;font-weight:600}
.skipped ul{padding-left:20px;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:13px;margin-bottom:32px}
@media(max-width:520px){header,main,footer{padding:0 12px}.tools{position:static}.tools form{padding:8px 12px}button{padding:4px 9px}}
`;
