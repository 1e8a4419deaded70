{{- define "quartet.labels" -}}
app.kubernetes.io/name: quartet-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: quartet
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "quartet.selector" -}}
app.kubernetes.io/name: quartet-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "quartet.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
