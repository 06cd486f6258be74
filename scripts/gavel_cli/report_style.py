# SPDX-License-Identifier: Apache-2.0
"""Style sheet of the run report: light and dark, from phone to desktop width."""

from __future__ import annotations

_HEAT = "".join(
    f".h{level}{{fill:var(--heat);fill-opacity:{round(0.06 + 0.94 * level / 9, 2)}}}"
    for level in range(1, 10)
)

STYLE = """
:root{color-scheme:light dark;--page:#f6f7f9;--panel:#fff;--ink:#1a1f29;--soft:#5b6575;
--line:#dfe3ea;--bar:#2f6fdb;--heat:#1d4ed8;--mark:#c2410c;--good:#15803d;--bad:#b91c1c;
--empty:#eef1f6;--on:#fff;--s1:#2f6fdb;--s2:#7c3aed;--s3:#c026d3;--s4:#e11d48;--s5:#f59e0b;
--s6:#64748b;--s7:#94a3b8;--s8:#14b8a6;--s9:#84cc16}
@media(prefers-color-scheme:dark){:root{--page:#0f1319;--panel:#171d26;--ink:#e7ebf2;
--soft:#9aa6b8;--line:#2a3341;--bar:#6ea3ff;--heat:#7aa8ff;--mark:#fb923c;--good:#4ade80;
--bad:#f87171;--empty:#1d2530;--on:#0b1220}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
header,main{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:36px}
.kicker{margin:0;color:var(--soft);font-size:13px;letter-spacing:.08em;text-transform:uppercase}
h1{margin:4px 0 6px;font-size:clamp(24px,4.5vw,36px);line-height:1.15;overflow-wrap:anywhere}
.lead{margin:0 0 22px;color:var(--soft)}
h2{margin:0 0 10px;font-size:16px;font-weight:650}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px;
margin:0 0 18px}
.card,figure,section{background:var(--panel);border:1px solid var(--line);border-radius:10px}
.card{padding:14px 16px}
.card dt{color:var(--soft);font-size:13px}
.card dd{margin:2px 0 4px;font-size:25px;font-weight:650;line-height:1.2;
font-variant-numeric:tabular-nums}
.card p{margin:0;color:var(--soft);font-size:13px;line-height:1.4}
.good dd{color:var(--good)}.bad dd{color:var(--bad)}
.failure{background:var(--panel);border-left:4px solid var(--bad);padding:12px 16px;margin:0 0 18px}
.figures,.tables{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px;
margin-bottom:18px;align-items:start}
figure,section{margin:0;padding:18px;min-width:0}
.figures>div{min-width:0}.figures>div>figure+figure{margin-top:18px}
main>section{margin-bottom:40px}
figcaption{margin-top:8px;color:var(--soft);font-size:13px;line-height:1.45}
svg{display:block;width:100%;height:auto;font:11.5px system-ui,-apple-system,"Segoe UI",sans-serif}
svg text{fill:var(--soft);font-variant-numeric:tabular-nums}
svg .at{fill:var(--ink);font-size:12px;text-anchor:middle}
svg .at[text-anchor=start]{text-anchor:start}svg .at[text-anchor=end]{text-anchor:end}
svg .tiny{font-size:9.5px}
svg .mk{fill:var(--mark);font-weight:600}
.grid,.lane{stroke:var(--line);fill:none}.axis{stroke:var(--soft);fill:none}
.mark{stroke:var(--mark);stroke-dasharray:3 3;fill:none}
.theory{stroke:var(--soft);fill:none}
.bar,.area{fill:var(--bar)}.area{fill-opacity:.8}.bar:hover{fill:var(--mark)}
.hit{fill:var(--mark);fill-opacity:0}.hit:hover{fill-opacity:.18}
.h0{fill:var(--empty)}""" + _HEAT + """
[class^=s-]{fill:var(--state);stroke:var(--state)}
.s-sending{--state:var(--s1)}.s-link-down{--state:var(--s2)}
.s-replay-buffer-full{--state:var(--s3)}.s-paused{--state:var(--s4)}
.s-no-credit{--state:var(--s5)}.s-stopped{--state:var(--s6)}.s-output-busy{--state:var(--s7)}
.s-inputs-busy{--state:var(--s8)}.s-not-chosen{--state:var(--s9)}
svg .on{fill:var(--on);font-size:11px}svg .off{fill:var(--ink);font-size:11px}
table{width:100%;border-collapse:collapse;font-size:14px}
th,td{padding:5px 0;border-top:1px solid var(--line);text-align:left;vertical-align:top}
th{padding-right:16px;color:var(--soft);font-weight:400;white-space:nowrap}
td{text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
tr:first-child>*{border-top:0}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;
font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.wide td,.wide th{padding-right:12px;text-align:right}.wide :is(td,th):last-child{padding-right:0}
figure.full{grid-column:1/-1}section.scroll{overflow-x:auto;margin-bottom:18px}
.scroll td,.scroll th{white-space:nowrap}
@media(max-width:760px){.figures,.tables{grid-template-columns:minmax(0,1fr)}
header,main{padding-left:12px;padding-right:12px}header{padding-top:20px}
figure,section{padding:12px}.cards{grid-template-columns:repeat(auto-fit,minmax(150px,1fr))}
.card dd{font-size:21px}
svg{font-size:13px}svg .at{font-size:13px}
svg .off,svg .on{font-size:12px}}
@media print{body{background:#fff}figure,section,.card{break-inside:avoid}}
"""
