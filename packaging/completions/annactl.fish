# fish completion for annactl, made by: annactl completion fish
function __annactl_verb
	set -l verb
	set -l skip 0
	for word in (commandline -opc)[2..-1]
		if test $skip = 1
			set skip 0
		else if contains -- $word --socket --timeout --state-dir
			set skip 1
		else if not string match -q -- '-*' $word
			set -a verb $word
		end
	end
	test "$verb" = "$argv[1]"
end
complete -c annactl -n '__annactl_verb ""' -a status -d 'Is all well: state, health, config, counters, the last errors.'
complete -c annactl -n '__annactl_verb ""' -a health -d 'What is not well, why, and what to do; her own measures.'
complete -c annactl -n '__annactl_verb ""' -a ping -d 'Does the daemon answer, and how fast.'
complete -c annactl -n '__annactl_verb ""' -a events -d 'What happened; with --follow also what happens.'
complete -c annactl -n '__annactl_verb ""' -a why -d 'Why something happened (an event\'s id), or did not (--not).'
complete -c annactl -n '__annactl_verb ""' -a emit -d 'Put an event into the journal; returns once it is durable.'
complete -c annactl -n '__annactl_verb ""' -a undo -d 'Go back to the configuration before, or to a generation.'
complete -c annactl -n '__annactl_verb ""' -a reload -d 'Read the configuration again and say what changed.'
complete -c annactl -n '__annactl_verb ""' -a config -d 'a group: press Tab again'
complete -c annactl -n '__annactl_verb ""' -a capabilities -d 'The parts of Anna: active, degraded, failed, disabled; why.'
complete -c annactl -n '__annactl_verb ""' -a metrics -d 'All numbers Anna measures, as Prometheus text.'
complete -c annactl -n '__annactl_verb ""' -a stop -d 'Stop the daemon and wait until its process is gone.'
complete -c annactl -n '__annactl_verb ""' -a call -d 'Call a method of the daemon and print its result as JSON.'
complete -c annactl -n '__annactl_verb ""' -a version -d 'This annactl, the annad that runs, and the one installed.'
complete -c annactl -n '__annactl_verb ""' -a completion -d 'Print the completion script of a shell.'
complete -c annactl -n '__annactl_verb ""' -a help -d 'Explain annactl, or one of its commands.'
complete -c annactl -n '__annactl_verb "status"' -l watch -d 'Every second, until Ctrl-C.'
complete -c annactl -n '__annactl_verb "status"' -l verbose -d 'Also the build, the contract version and all errors kept.'
complete -c annactl -n '__annactl_verb "health"' -l watch -d 'Every second, until Ctrl-C.'
complete -c annactl -n '__annactl_verb "ping"' -l count -d 'Ask so many times, one after the other.'
complete -c annactl -n '__annactl_verb "events"' -l follow -d 'Go on with what happens, until Ctrl-C; outlives a restart.'
complete -c annactl -n '__annactl_verb "events"' -l kind -d 'Only kinds like this, say \'host.*\'; may be given again.'
complete -c annactl -n '__annactl_verb "events"' -l since -d 'Only the last 5m, 2h, 1d, or since an RFC 3339 time.'
complete -c annactl -n '__annactl_verb "events"' -l after -d 'Only events after this one.'
complete -c annactl -n '__annactl_verb "events"' -l subject -d 'Only what is about this.'
complete -c annactl -n '__annactl_verb "events"' -l limit -d 'The newest N (with --after, the first N); 0 is all. Without a range, 50.'
complete -c annactl -n '__annactl_verb "why"' -l not -d 'A mapping that did not act, or a kind that did not occur.'
complete -c annactl -n '__annactl_verb "emit"' -l subject -d 'What it is about.'
complete -c annactl -n '__annactl_verb "emit"' -l cause -d 'The event that caused it.'
complete -c annactl -n '__annactl_verb "emit"' -l key -d 'The same key again is the same event; made up when not given.'
complete -c annactl -n '__annactl_verb "emit"' -l json-attributes -d 'A JSON object of attributes.'
complete -c annactl -n '__annactl_verb "reload"' -a confirm -d 'Keep the configuration that reload --confirm put on trial.'
complete -c annactl -n '__annactl_verb "reload"' -l dry-run -d 'Only say what would change.'
complete -c annactl -n '__annactl_verb "reload"' -l confirm -d 'Undo it after that time unless confirmed, also across a crash.'
complete -c annactl -n '__annactl_verb "config"' -a check -d 'Say all that is wrong with a config file; needs no daemon.'
complete -c annactl -n '__annactl_verb "config"' -a show -d 'The configuration in force, option by option.'
complete -c annactl -n '__annactl_verb "config"' -a diff -d 'What would change if a config file were applied now.'
complete -c annactl -n '__annactl_verb "config"' -a history -d 'The generations of the configuration: when, by whom, verdict.'
complete -c annactl -n '__annactl_verb "config"' -a default -d 'A config file with every option, its default and meaning.'
complete -c annactl -n '__annactl_verb "config show"' -l origin -d 'Also which file and line, or that it is the default.'
complete -c annactl -n '__annactl_verb "completion"' -a bash -d 'bash, zsh or fish.'
complete -c annactl -n '__annactl_verb "completion"' -a zsh -d 'bash, zsh or fish.'
complete -c annactl -n '__annactl_verb "completion"' -a fish -d 'bash, zsh or fish.'
complete -c annactl -l json -d 'Print JSON, and errors as JSON on stderr.'
complete -c annactl -l socket -d 'The daemon\'s socket; else ANNA_SOCKET, the user\'s, the system\'s.'
complete -c annactl -l timeout -d 'How long to wait for an answer, all tries together.'
complete -c annactl -l state-dir -d 'Where to look when the daemon is dead; else ANNA_STATE_DIR, the default.'
complete -c annactl -l no-color -d 'No colour; the environment\'s NO_COLOR does the same.'
complete -c annactl -l help -d 'Explain the command.'
complete -c annactl -l version -d 'Print the version of annactl.'
complete -c annactl -l schema -d 'Print the table of commands as JSON.'
