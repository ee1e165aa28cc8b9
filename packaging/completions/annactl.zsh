#compdef annactl
# zsh completion for annactl, made by: annactl completion zsh
local verb= i
local -a list everywhere
for ((i = 2; i < CURRENT; i++)); do
	case ${words[i]} in
	--socket | --timeout | --state-dir) ((i++)) ;;
	-*) ;;
	*) verb="${verb:+$verb }${words[i]}" ;;
	esac
done
case $verb in
"")
	list=(
		'status:Is all well: state, health, config, counters, the last errors.'
		'health:What is not well, why, and what to do; her own measures.'
		'top:What is busy and who is it: processes, units, containers.'
		'host:What this machine is made of: hardware, system, firmware.'
		'advise:What could be better on this machine: evidence, fix, risk.'
		'doctor:Find what is wrong with Anna, even if she does not answer.'
		'ping:Does the daemon answer, and how fast.'
		'events:What happened; with --follow also what happens.'
		'why:Why something happened (an event'\''s id), or did not (--not).'
		'emit:Put an event into the journal; returns once it is durable.'
		'undo:Go back to the configuration before, or to a generation.'
		'reload:Read the configuration again and say what changed.'
		'config:a group: press Tab again'
		'capabilities:The parts of Anna: active, degraded, failed, disabled; why.'
		'metrics:All numbers Anna measures, as Prometheus text.'
		'upgrade:Install a new Anna; go back by itself when she does not run.'
		'stop:Stop the daemon and wait until its process is gone.'
		'call:Call a method of the daemon and print its result as JSON.'
		'version:This annactl, the annad that runs, and the one installed.'
		'completion:Print the completion script of a shell.'
		'help:Explain annactl, or one of its commands.'
	) ;;
"status")
	list=(
		'--watch:Every second, until Ctrl-C.'
		'--verbose:Also the build, the contract version and all errors kept.'
	) ;;
"health")
	list=(
		'--watch:Every second, with how it went, until q or Ctrl-C.'
	) ;;
"top")
	list=(
		'--once:Print it once, on a terminal too.'
		'--watch:Again and again until Ctrl-C; what a terminal shows anyway.'
		'--interval:Time between two looks.'
	) ;;
"host")
	list=(
		'--refresh:Reads it again unless it is younger than ten seconds.'
		'--notes:Lists what could not be read, and why.'
	) ;;
"advise")
	list=(
		'--explain:One rule: what it reads, how it judges, what it finds now.'
		'--exit-code:Exit status 1 when there are findings; without it always 0.'
	) ;;
"doctor")
	list=(
		'explain:Say what a finding means; without ID, list all checks.'
		'fix:Mend what can be mended, and look again.'
		'report:Write one archive to attach to a bug, secrets removed.'
	) ;;
"doctor explain")
	list=(
	) ;;
"doctor fix")
	list=(
		'--dry-run:Say what would be done, and do nothing.'
		'--yes:Do also what cannot be undone, without asking.'
	) ;;
"doctor report")
	list=(
	) ;;
"ping")
	list=(
		'--count:Ask so many times, one after the other.'
	) ;;
"events")
	list=(
		'--follow:Go on with what happens, until Ctrl-C; outlives a restart.'
		'--kind:Only kinds like this, say '\''host.*'\''; may be given again.'
		'--since:Only the last 5m, 2h, 1d, or since an RFC 3339 time.'
		'--after:Only events after this one.'
		'--subject:Only what is about this.'
		'--limit:The newest N (with --after, the first N); 0 is all. Without a range, 50.'
	) ;;
"why")
	list=(
		'--not:A mapping that did not act, or a kind that did not occur.'
	) ;;
"emit")
	list=(
		'--subject:What it is about.'
		'--cause:The event that caused it.'
		'--key:The same key again is the same event; made up when not given.'
		'--json-attributes:A JSON object of attributes.'
	) ;;
"undo")
	list=(
	) ;;
"reload")
	list=(
		'confirm:Keep the configuration that reload --confirm put on trial.'
		'--dry-run:Only say what would change.'
		'--confirm:Undo it after that time unless confirmed, also across a crash.'
	) ;;
"reload confirm")
	list=(
	) ;;
"config")
	list=(
		'check:Say all that is wrong with a config file; needs no daemon.'
		'show:The configuration in force, option by option.'
		'diff:What would change if a config file were applied now.'
		'history:The generations of the configuration: when, by whom, verdict.'
		'default:A config file with every option, its default and meaning.'
	) ;;
"config check")
	list=(
	) ;;
"config show")
	list=(
		'--origin:Also which file and line, or that it is the default.'
	) ;;
"config diff")
	list=(
	) ;;
"config history")
	list=(
	) ;;
"config default")
	list=(
	) ;;
"capabilities")
	list=(
	) ;;
"metrics")
	list=(
	) ;;
"upgrade")
	list=(
		'--check:Only look whether it would go well; change nothing.'
		'--sha256:What the file must be.'
		'--allow-downgrade:Also take one that is not newer.'
		'--one-way:Also take one whose files on disk the old one could not read.'
		'--wait:How long the daemon may take to answer as it should.'
		'--back:Go back to the package before the last upgrade.'
		'--resume:Repair what an interrupted upgrade left; every other run does so first.'
		'--verify:Only ask the running daemon whether it is the one installed.'
	) ;;
"stop")
	list=(
	) ;;
"call")
	list=(
	) ;;
"version")
	list=(
	) ;;
"completion")
	list=(
		'bash:bash, zsh or fish.'
		'zsh:bash, zsh or fish.'
		'fish:bash, zsh or fish.'
	) ;;
"help")
	list=(
	) ;;
esac
everywhere=(
		'--json:Print JSON, and errors as JSON on stderr.'
		'--socket:The daemon'\''s socket; else ANNA_SOCKET, the user'\''s, the system'\''s.'
		'--timeout:How long to wait for an answer, all tries together.'
		'--state-dir:Where to look when the daemon is dead; else ANNA_STATE_DIR, the default.'
		'--no-color:No colour; the environment'\''s NO_COLOR does the same.'
		'--help:Explain the command.'
		'--version:Print the version of annactl.'
		'--schema:Print the table of commands as JSON.'
)
_describe -t commands annactl list
_describe -t everywhere everywhere everywhere
[[ $PREFIX == -* ]] || _files
