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
		'ping:Does the daemon answer, and how fast.'
		'events:What happened; with --follow also what happens.'
		'why:Why something happened (an event'\''s id), or did not (--not).'
		'emit:Put an event into the journal; returns once it is durable.'
		'undo:Go back to the configuration before, or to a generation.'
		'reload:Read the configuration again and say what changed.'
		'config:a group: press Tab again'
		'capabilities:The parts of Anna: active, degraded, failed, disabled; why.'
		'metrics:All numbers Anna measures, as Prometheus text.'
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
		'--watch:Every second, until Ctrl-C.'
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
