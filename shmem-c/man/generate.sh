#!/usr/bin/env bash
# generate.sh DIR: the manual pages of all routines, from the tables in spec/: DIR/man3/*.3, one page for each template
# (shmem_TYPENAME_put) under its first name (shmem_float_put), and a link to it for every other.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/man3"

awk -F'\t' -v dir="$1/man3" '
FILENAME ~ /tables.tsv$/ { members[$1] = $4; next }
FILENAME ~ /types.tsv$/ { ctype[$1] = $2; next }
FNR == 1 { next }

# A sentence that starts with a capital and ends with a full stop.
function sentence(text) {
    sub(/^ +/, "", text)
    if (text ~ /^coll=none/) { sub(/^coll=none/, "Not collective", text) }
    else if (text ~ /^coll=/) { sub(/^coll=/, "Collective over the ", text); sub(/ world/, " world (all PEs)", text) }
    else if (text ~ /^UB: /) { sub(/^UB: /, "Undefined: ", text) }
    else if (text !~ /^(shmem_|SHMEM_|_|\*)/) { text = toupper(substr(text, 1, 1)) substr(text, 2) }
    if (text !~ /[.)]$/) text = text "."
    return escaped(text)
}
function escaped(text) {
    gsub(/\\/, "\\\\", text); gsub(/-/, "\\-", text)
    if (text ~ /^[.\x27]/) text = "\\&" text
    return text
}
{
    section = $1; name = $2; signature = $3; table = $4; generic = $5; since = $6; gone = $7; what = $8; area = $9; form = $10
    n = 0
    if (table == "-") { names[++n] = name }
    else {
        count = split(members[table], member, ",")
        for (i = 1; i <= count; i++) {
            one = name
            if (table == "sizes") gsub(/SIZE/, member[i], one); else gsub(/TYPENAME/, member[i], one)
            names[++n] = one
        }
    }
    page = dir "/" names[1] ".3"
    clauses = split(what, clause, /; /)
    brief = ""
    for (i = 1; i <= clauses && brief == ""; i++) if (clause[i] !~ /^coll=/) brief = clause[i]
    if (brief == "") brief = area
    # A page with a table says so in its first line: man then calls tbl.
    if (table != "-" && table != "sizes") print "\x27\\\" t" > page
    print ".TH " toupper(names[1]) " 3 \"\" \"OpenSHMEM 1.6\" \"OpenSHMEM routines\"" > page
    print ".SH NAME" > page
    all = names[1]
    for (i = 2; i <= n; i++) all = all ", " names[i]
    print all " \\- " escaped(brief) > page
    print ".SH SYNOPSIS\n.nf\n.B #include <shmem.h>\n.PP\n.B \"" signature "\"\n.fi" > page
    if (form != "" && form ~ /\(/) print ".PP\nIn C11 and C++ also type\\-generic:\n.B " form > page
    print ".SH DESCRIPTION" > page
    for (i = 1; i <= clauses; i++) print (i > 1 ? ".br\n" : "") sentence(clause[i]) > page
    if (table == "sizes") print ".SH SIZES\nSIZE is one of 8, 16, 32, 64, 128: bits of an element." > page
    else if (table != "-") {
        print ".SH TYPES\n.TS\nl l.\nTYPENAME\tTYPE" > page
        for (i = 1; i <= count; i++) print member[i] "\t" ctype[member[i]] > page
        print ".TE" > page
    }
    print ".SH PROFILING\nEvery routine exists under a second name with p before it, declared in\n.BR pshmem.h ." > page
    print ".SH HISTORY\nSince OpenSHMEM " since "." > page
    if (gone != "") print "Deprecated since " gone "; still supported." > page
    print ".SH SEE ALSO\n.BR oshcc (1),\n.BR oshrun (1),\n.BR shmem\\-info (1)\n.br\nSection \"" area "\" of the OpenSHMEM 1.6 specification." > page
    close(page)
    for (i = 1; i <= n; i++) at[names[i]] = names[1]
    plain = form
    sub(/\(.*/, "", plain)
    if (generic == "y" && !(plain in typeless)) typeless[plain] = names[1]
}
END {
    for (name in typeless) if (!(name in at)) at[name] = typeless[name]
    for (name in at) if (at[name] != name) {
        link = dir "/" name ".3"
        print ".so man3/" at[name] ".3" > link
        close(link)
    }
}' "$here/../spec/openshmem-tables.tsv" "$here/../spec/openshmem-types.tsv" "$here/../spec/openshmem-api.tsv"
